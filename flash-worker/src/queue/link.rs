use std::fmt;
use std::time::Duration;

use bytes::Bytes;
use flash_core::Secret;
use flash_core::clock::Clock;
use flash_core::ids::JobId;
use flash_platform::HttpClient;
use reqwest::{Method, RequestBuilder, StatusCode};

use super::urls::Urls;

/// The way to the queue that intake, outbox, heartbeat and stop channel share: one client, one key, one clock.
#[derive(Debug)]
pub(crate) struct Link {
    pub(crate) http: HttpClient,
    pub(crate) urls: Urls,
    pub(crate) key: Option<Secret>,
    pub(crate) clock: Clock,
}

/// Why no answer came. Holds no address, because those have keys in some templates.
#[derive(Debug)]
pub(crate) struct NoAnswer {
    text: String,
    pub(crate) is_timeout: bool,
}

impl fmt::Display for NoAnswer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl From<reqwest::Error> for NoAnswer {
    fn from(error: reqwest::Error) -> Self {
        let is_timeout = error.is_timeout();
        Self { text: error.without_url().to_string(), is_timeout }
    }
}

impl Link {
    /// Asks the queue, and reads the answer to its end, so that the connection can be used again.
    pub(crate) async fn get(&self, url: &str, timeout: Duration) -> Result<(StatusCode, Bytes), NoAnswer> {
        let request = self.request(Method::GET, url, timeout)?.header("content-type", "application/json");
        let response = request.send().await?;
        let status = response.status();
        Ok((status, response.bytes().await?))
    }

    /// Tells the queue something about a job.
    pub(crate) async fn post(
        &self,
        url: &str,
        job: &JobId,
        body: Vec<u8>,
        timeout: Duration,
    ) -> Result<StatusCode, NoAnswer> {
        let request = self.request(Method::POST, url, timeout)?;
        let request = request.header("content-type", "application/json").header("x-request-id", job.as_str());
        let response = request.body(body).send().await?;
        let status = response.status();
        response.bytes().await?;
        Ok(status)
    }

    fn request(&self, method: Method, url: &str, timeout: Duration) -> Result<RequestBuilder, NoAnswer> {
        let request = self
            .http
            .request(method, url)
            .map_err(|error| NoAnswer { text: error.to_string(), is_timeout: false })?
            .timeout(timeout);
        Ok(match &self.key {
            // The queue wants the bare key, without `Bearer` (platform contract B.3).
            Some(key) => request.header("authorization", key.expose()),
            None => request,
        })
    }
}
