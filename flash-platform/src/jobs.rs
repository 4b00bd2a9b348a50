use std::time::Duration;

use bytes::Bytes;
use flash_core::ids::JobId;
use flash_core::wire::{
    Health, Job, JobStatus, PurgeAnswer, RunAccepted, RunRequest, StreamAnswer, StreamChunk,
};
use flash_core::{Error, code};
use reqwest::{Method, Response, StatusCode};
use serde::de::DeserializeOwned;

use crate::credentials::Credentials;
use crate::http::{HttpClient, unreachable};

/// How long the platform holds a `/runsync` open before it answers that the job still runs, in milliseconds
/// (platform contract A.4: 1 000 to 300 000, default 90 000).
const RUNSYNC_WAIT_MS: u64 = 90_000;
/// What an answer may take beyond what the server itself waits.
const MARGIN: Duration = Duration::from_secs(20);
/// Largest bodies of `/run` and `/runsync` in bytes (platform contract A.4).
const RUN_LIMIT: usize = 10_000_000;
const RUNSYNC_LIMIT: usize = 20_000_000;

/// Why the platform did not do what it was asked.
pub type PlatformError = Error;

/// The jobs of one queue endpoint, as a client sees them (platform contract A).
#[derive(Debug, Clone)]
pub struct JobsClient {
    http: HttpClient,
    credentials: Credentials,
    address: String,
    headers: Vec<(&'static str, String)>,
}

/// Whether a request that got no answer may have done something.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Effect {
    Submits,
    Asks,
}

impl JobsClient {
    /// A client of the endpoint at `address`, such as `https://api.runpod.ai/v2/{id}`.
    #[must_use]
    pub fn new(http: HttpClient, credentials: Credentials, address: impl Into<String>) -> Self {
        let address: String = address.into();
        Self { http, credentials, address: address.trim_end_matches('/').to_owned(), headers: Vec::new() }
    }

    /// Sends these headers with every request.
    pub(crate) fn with_headers(mut self, headers: Vec<(&'static str, String)>) -> Self {
        self.headers = headers;
        self
    }

    /// The endpoint's address.
    #[must_use]
    pub fn address(&self) -> &str {
        &self.address
    }

    /// Submits a job and waits for it, at most `wait` (1 s to 300 s; the platform's own 90 s without one). The answer
    /// may be a job that is not finished.
    ///
    /// # Errors
    /// No answer, or one that is not a job; a body over 20 MB. A job that failed is no error here.
    pub async fn run_sync(&self, request: &RunRequest, wait: Option<Duration>) -> Result<Job, Error> {
        let wait_ms =
            wait.map_or(RUNSYNC_WAIT_MS, |wait| u64::try_from(wait.as_millis()).unwrap_or(u64::MAX));
        let wait_ms = wait_ms.clamp(1_000, 300_000);
        let path = format!("/runsync?wait={wait_ms}");
        let body = body_of(request, RUNSYNC_LIMIT)?;
        self.send(Method::POST, &path, Some(body), Duration::from_millis(wait_ms) + MARGIN, Effect::Submits)
            .await
    }

    /// Submits a job, and does not wait for it.
    ///
    /// # Errors
    /// No answer, or one that is not a job; a body over 10 MB.
    pub async fn run(&self, request: &RunRequest) -> Result<RunAccepted, Error> {
        let body = body_of(request, RUN_LIMIT)?;
        self.send(Method::POST, "/run", Some(body), MARGIN, Effect::Submits).await
    }

    /// The job as it is now.
    ///
    /// # Errors
    /// As [`run_sync`](Self::run_sync); `not_found` when the result is no longer kept.
    pub async fn status(&self, id: &JobId) -> Result<Job, Error> {
        self.ask(Method::GET, &format!("/status/{id}")).await
    }

    /// The pieces of a stream that nobody has read yet.
    ///
    /// # Errors
    /// As [`status`](Self::status).
    pub async fn stream(&self, id: &JobId) -> Result<StreamAnswer, Error> {
        let body = self.body(Method::GET, &format!("/stream/{id}"), None, MARGIN, Effect::Asks).await?;
        // The documentation shows a bare array, which does not say where the job stands.
        if body.trim_ascii_start().starts_with(b"[") {
            let stream: Vec<StreamChunk> = self.parsed(&body)?;
            let status =
                if stream.is_empty() { self.status(id).await?.status } else { JobStatus::InProgress };
            return Ok(StreamAnswer { status, stream });
        }
        self.parsed(&body)
    }

    /// Cancels the job.
    ///
    /// # Errors
    /// As [`status`](Self::status).
    pub async fn cancel(&self, id: &JobId) -> Result<Job, Error> {
        self.ask(Method::POST, &format!("/cancel/{id}")).await
    }

    /// Runs a job that failed or was not done in time once more.
    ///
    /// # Errors
    /// As [`status`](Self::status); `invalid_request` where it did not fail.
    pub async fn retry(&self, id: &JobId) -> Result<RunAccepted, Error> {
        self.ask(Method::POST, &format!("/retry/{id}")).await
    }

    /// Removes the jobs that wait for a worker.
    ///
    /// # Errors
    /// As [`status`](Self::status).
    pub async fn purge_queue(&self) -> Result<PurgeAnswer, Error> {
        self.ask(Method::POST, "/purge-queue").await
    }

    /// How many jobs and workers stand where.
    ///
    /// # Errors
    /// As [`status`](Self::status).
    pub async fn health(&self) -> Result<Health, Error> {
        self.ask(Method::GET, "/health").await
    }

    async fn ask<T: DeserializeOwned>(&self, method: Method, path: &str) -> Result<T, Error> {
        self.send(method, path, None, MARGIN, Effect::Asks).await
    }

    async fn send<T: DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
        body: Option<Vec<u8>>,
        timeout: Duration,
        effect: Effect,
    ) -> Result<T, Error> {
        let body = self.body(method, path, body, timeout, effect).await?;
        self.parsed(&body)
    }

    fn parsed<T: DeserializeOwned>(&self, body: &[u8]) -> Result<T, Error> {
        serde_json::from_slice(body).map_err(|error| {
            Error::new(code::BAD_ANSWER, format!("the answer of {} is not a job: {error}", self.address))
        })
    }

    async fn body(
        &self,
        method: Method,
        path: &str,
        body: Option<Vec<u8>>,
        timeout: Duration,
        effect: Effect,
    ) -> Result<Bytes, Error> {
        let url = format!("{}{path}", self.address);
        let mut request = self.http.request(method, &url)?.timeout(timeout);
        for (name, value) in &self.headers {
            request = request.header(*name, value);
        }
        if let Some(body) = body {
            request = request.header("content-type", "application/json").body(body);
        }
        let lost = |error: reqwest::Error| {
            // Without a connection nothing was sent.
            let may_have_arrived = effect == Effect::Submits && !error.is_connect();
            let error = unreachable(error);
            if may_have_arrived { error.in_doubt() } else { error }
        };
        let response = self.credentials.authorize(request, &url).send().await.map_err(lost)?;
        let status = response.status();
        if !status.is_success() {
            let error = self.refused(response).await;
            // 503 says that nobody took it; behind any other failure of a server there may be a job.
            let may_have_arrived = effect == Effect::Submits
                && status.is_server_error()
                && status != StatusCode::SERVICE_UNAVAILABLE;
            return Err(if may_have_arrived { error.in_doubt() } else { error });
        }
        response.bytes().await.map_err(lost)
    }

    async fn refused(&self, response: Response) -> Error {
        let status = response.status();
        let retry_after =
            response.headers().get("retry-after").and_then(|v| v.to_str().ok()).map(ToOwned::to_owned);
        let text = response.text().await.unwrap_or_default();
        let reason = message_of(&text);
        let address = &self.address;
        match status {
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => {
                unauthorized(address, self.credentials.has_key())
            }
            StatusCode::NOT_FOUND => {
                Error::new(code::NOT_FOUND, format!("{address} has no such endpoint or job: {reason}"))
            }
            StatusCode::PAYLOAD_TOO_LARGE => Error::new(code::PAYLOAD_TOO_LARGE, reason).terminal(),
            StatusCode::BAD_REQUEST => Error::new(code::INVALID_REQUEST, reason).terminal(),
            StatusCode::TOO_MANY_REQUESTS => {
                let after =
                    retry_after.map(|after| format!("; try again after {after} s")).unwrap_or_default();
                Error::new(
                    code::RATE_LIMITED,
                    format!("{address} answered that there are too many requests{after}"),
                )
                .retryable()
            }
            status if status.is_server_error() => {
                Error::new(code::UNREACHABLE, format!("{address} answered {status}: {reason}")).retryable()
            }
            status => Error::new(code::BAD_ANSWER, format!("{address} answered {status}: {reason}")),
        }
    }
}

fn body_of(request: &RunRequest, limit: usize) -> Result<Vec<u8>, Error> {
    let body = serde_json::to_vec(request).map_err(Error::internal)?;
    if body.len() > limit {
        let text =
            format!("the request is too large: {} bytes are over the limit of {limit} bytes", body.len());
        return Err(Error::new(code::PAYLOAD_TOO_LARGE, text).with_status(413).terminal());
    }
    Ok(body)
}

pub(crate) fn unauthorized(address: &str, has_key: bool) -> Error {
    let why = if has_key {
        "refused the key in RUNPOD_API_KEY"
    } else {
        "asks for a key, and RUNPOD_API_KEY is not set"
    };
    Error::new(
        code::UNAUTHORIZED,
        format!("{address} {why}\nhelp: set RUNPOD_API_KEY to a key of the account"),
    )
    .terminal()
}

/// The text of an error body: JSON with `error` or `detail`, else its first 200 characters.
pub(crate) fn message_of(body: &str) -> String {
    let json: Option<serde_json::Value> = serde_json::from_str(body).ok();
    let named = json.as_ref().and_then(|json| {
        ["error", "detail", "message", "title"]
            .iter()
            .find_map(|key| json.get(key)?.as_str().map(ToOwned::to_owned))
    });
    named.unwrap_or_else(|| {
        let text: String = body.chars().take(200).collect();
        if text.trim().is_empty() { "no reason given".to_owned() } else { text }
    })
}
