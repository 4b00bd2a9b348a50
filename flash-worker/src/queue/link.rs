use std::fmt;
use std::time::Duration;

use bytes::Bytes;
use flash_core::Secret;
use flash_core::clock::Clock;
use flash_core::ids::JobId;
use flash_platform::direct::{Lost, Origin};
use flash_platform::{AGENT, HttpClient};
use http::header::{AUTHORIZATION, CONTENT_TYPE, HOST, HeaderName, USER_AGENT};
use http::uri::PathAndQuery;
use http::{HeaderValue, Method, Request, StatusCode, Uri};
use http_body_util::Full;

use super::urls::{Address, Urls};

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
const JSON: HeaderValue = HeaderValue::from_static("application/json");
/// Nothing that the queue answers to a post or a ping is longer.
const SMALL: usize = 1_000_000;

/// The way to the queue that intake, outbox, heartbeat and stop channel share: its connections, one key, one clock.
#[derive(Debug)]
pub(crate) struct Link {
    pub(crate) urls: Urls,
    pub(crate) clock: Clock,
    key: Option<HeaderValue>,
    /// Only behind a proxy, which the general client knows how to speak to.
    proxied: Option<HttpClient>,
}

/// Why no answer came. Holds no address, because those have keys in some templates.
#[derive(Debug)]
pub(crate) struct NoAnswer {
    text: String,
    pub(crate) is_timeout: bool,
}

impl NoAnswer {
    fn new(text: impl Into<String>) -> Self {
        Self { text: text.into(), is_timeout: false }
    }
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
    pub(crate) fn new(
        urls: Urls,
        key: Option<&Secret>,
        clock: Clock,
        uses_proxy: bool,
    ) -> Result<Self, String> {
        // The queue wants the bare key, without `Bearer` (platform contract B.3).
        let key = key.map(|key| HeaderValue::try_from(key.expose())).transpose();
        let mut key =
            key.map_err(|_| "RUNPOD_AI_API_KEY has characters that no header can hold".to_owned())?;
        if let Some(key) = &mut key {
            key.set_sensitive(true);
        }
        Ok(Self { urls, clock, key, proxied: uses_proxy.then(HttpClient::new) })
    }

    /// Asks the queue for at most `limit` bytes.
    pub(crate) async fn get(
        &self,
        address: Address,
        timeout: Duration,
        limit: usize,
    ) -> Result<(StatusCode, Bytes), NoAnswer> {
        self.send(Method::GET, address, None, Bytes::new(), timeout, limit).await
    }

    /// As [`get`](Self::get), where only whether there was an answer counts.
    pub(crate) async fn ask(&self, address: Address, timeout: Duration) -> Result<StatusCode, NoAnswer> {
        Ok(self.get(address, timeout, SMALL).await?.0)
    }

    /// Tells the queue something about a job.
    pub(crate) async fn post(
        &self,
        address: Address,
        job: &JobId,
        body: Bytes,
        timeout: Duration,
    ) -> Result<StatusCode, NoAnswer> {
        Ok(self.send(Method::POST, address, Some(job), body, timeout, SMALL).await?.0)
    }

    async fn send(
        &self,
        method: Method,
        address: Address,
        job: Option<&JobId>,
        body: Bytes,
        timeout: Duration,
        limit: usize,
    ) -> Result<(StatusCode, Bytes), NoAnswer> {
        let Address { origin, target } = address;
        let request = || self.request(&method, &origin, &target, job, body.clone());
        let answer = async {
            match &self.proxied {
                None => direct(&origin, request, limit).await,
                Some(client) => proxied(client, &origin, request()?).await,
            }
        };
        match self.clock.timeout(timeout, answer).await {
            Ok(answer) => answer,
            Err(_) => Err(NoAnswer { text: format!("no answer within {timeout:?}"), is_timeout: true }),
        }
    }

    fn request(
        &self,
        method: &Method,
        origin: &Origin,
        target: &str,
        job: Option<&JobId>,
        body: Bytes,
    ) -> Result<Request<Full<Bytes>>, NoAnswer> {
        let target = PathAndQuery::try_from(target).map_err(|error| NoAnswer::new(error.to_string()))?;
        let mut request = Request::new(Full::new(body));
        *request.method_mut() = method.clone();
        *request.uri_mut() = Uri::from(target);
        let headers = request.headers_mut();
        headers.insert(HOST, origin.authority());
        headers.insert(USER_AGENT, HeaderValue::from_static(AGENT));
        headers.insert(CONTENT_TYPE, JSON);
        if let Some(key) = &self.key {
            headers.insert(AUTHORIZATION, key.clone());
        }
        // An id that no header can hold is in the address all the same.
        if let Some(id) = job.and_then(|job| HeaderValue::try_from(job.as_str()).ok()) {
            headers.insert(REQUEST_ID, id);
        }
        Ok(request)
    }
}

/// A connection that was used before may have been closed by the queue at the wrong moment. That says nothing about the
/// queue, and it knows its jobs by their ids, so the request is tried once more on a new one.
async fn direct(
    origin: &Origin,
    request: impl Fn() -> Result<Request<Full<Bytes>>, NoAnswer>,
    limit: usize,
) -> Result<(StatusCode, Bytes), NoAnswer> {
    let answer = match origin.send(request()?, limit).await {
        Err(Lost::OnTheWay { was_reused: true, .. }) => origin.send(request()?, limit).await,
        other => other,
    };
    answer.map_err(|lost| NoAnswer::new(lost.to_string()))
}

async fn proxied(
    client: &HttpClient,
    origin: &Origin,
    request: Request<Full<Bytes>>,
) -> Result<(StatusCode, Bytes), NoAnswer> {
    use http_body_util::BodyExt;
    let (mut head, body) = request.into_parts();
    head.headers.remove(HOST);
    let body = match body.collect().await {
        Ok(body) => body.to_bytes(),
        Err(never) => match never {},
    };
    let request = client
        .request(head.method, &format!("{origin}{}", head.uri))
        .map_err(|error| NoAnswer::new(error.to_string()))?;
    let response = request.headers(head.headers).body(body).send().await?;
    let status = response.status();
    Ok((status, response.bytes().await?))
}
