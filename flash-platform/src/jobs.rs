use std::time::Duration;

use flash_core::ids::JobId;
use flash_core::wire::{Job, RunRequest};
use flash_core::{Error, WireError, code};
use reqwest::{Method, Response, StatusCode};
use serde::de::DeserializeOwned;

use crate::credentials::Credentials;
use crate::http::{HttpClient, unreachable};

/// How long the platform holds a `/runsync` open before it answers that the job still runs, in milliseconds
/// (platform contract A.4: 1 000 to 300 000, default 90 000).
const RUNSYNC_WAIT_MS: u64 = 90_000;
/// What an answer may take beyond what the server itself waits.
const MARGIN: Duration = Duration::from_secs(20);

/// Why the platform did not do what it was asked.
pub type PlatformError = Error;

/// The jobs of one queue endpoint, as a client sees them (platform contract A).
#[derive(Debug, Clone)]
pub struct JobsClient {
    http: HttpClient,
    credentials: Credentials,
    address: String,
}

impl JobsClient {
    /// A client of the endpoint at `address`, such as `https://api.runpod.ai/v2/{id}`.
    #[must_use]
    pub fn new(http: HttpClient, credentials: Credentials, address: impl Into<String>) -> Self {
        Self { http, credentials, address: address.into() }
    }

    /// Submits a job and waits for it, at most `wait` (1 s to 300 s; the platform's own 90 s without one). The answer
    /// may be a job that is not finished.
    ///
    /// # Errors
    /// No answer, or one that is not a job. A job that failed is no error here.
    pub async fn run_sync(&self, request: &RunRequest, wait: Option<Duration>) -> Result<Job, Error> {
        let wait_ms =
            wait.map_or(RUNSYNC_WAIT_MS, |wait| u64::try_from(wait.as_millis()).unwrap_or(u64::MAX));
        let wait_ms = wait_ms.clamp(1_000, 300_000);
        let body = serde_json::to_vec(request).map_err(Error::internal)?;
        let path = format!("/runsync?wait={wait_ms}");
        self.send(Method::POST, &path, Some(body), Duration::from_millis(wait_ms) + MARGIN).await
    }

    /// The job as it is now.
    ///
    /// # Errors
    /// As [`run_sync`](Self::run_sync); `not_found` when the result is no longer kept.
    pub async fn status(&self, id: &JobId) -> Result<Job, Error> {
        self.send(Method::GET, &format!("/status/{id}"), None, MARGIN).await
    }

    /// Cancels the job.
    ///
    /// # Errors
    /// As [`status`](Self::status).
    pub async fn cancel(&self, id: &JobId) -> Result<Job, Error> {
        self.send(Method::POST, &format!("/cancel/{id}"), None, MARGIN).await
    }

    async fn send<T: DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
        body: Option<Vec<u8>>,
        timeout: Duration,
    ) -> Result<T, Error> {
        let url = format!("{}{path}", self.address);
        let mut request = self.http.request(method, &url)?.timeout(timeout);
        if let Some(body) = body {
            request = request.header("content-type", "application/json").body(body);
        }
        let response = self.credentials.authorize(request, &url).send().await.map_err(unreachable)?;
        if !response.status().is_success() {
            return Err(self.refused(response).await);
        }
        let body = response.bytes().await.map_err(unreachable)?;
        serde_json::from_slice(&body).map_err(|error| {
            Error::new(code::BAD_ANSWER, format!("the answer of {} is not a job: {error}", self.address))
        })
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
                    code::UNREACHABLE,
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

/// A failed job as the error that its function returned.
pub(crate) fn failure_of(job: Job) -> WireError {
    use flash_core::wire::JobStatus;
    match job.status {
        JobStatus::Cancelled => WireError::new(code::CANCELLED, "the job was cancelled"),
        JobStatus::TimedOut => {
            let text = job.error.unwrap_or_else(|| "the job was not finished in its time".to_owned());
            WireError::new(code::TIMEOUT, text)
        }
        _ => match job.error {
            Some(text) => flash_core::from_error_string(&text),
            None => WireError::new(code::FAILED, "the job failed without a reason"),
        },
    }
}
