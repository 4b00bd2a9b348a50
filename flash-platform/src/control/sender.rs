use std::time::Duration;

use reqwest::{Method, Response, StatusCode};
use serde_json::Value;

use super::backoff::Backoff;
use super::error::ControlError;
use super::key::ApiKey;
use crate::credentials::Credentials;
use crate::http::{HttpClient, unreachable};

/// What a single answer may take (platform contract D.1).
const TIMEOUT: Duration = Duration::from_secs(300);
/// Longest that a `Retry-After` is obeyed; beyond it the user is told.
pub(crate) const LONGEST_WAIT: Duration = Duration::from_secs(60);

/// Sends requests to the control plane: the key, retries, `Retry-After`, and errors as the platform means them.
#[derive(Debug, Clone)]
pub struct Sender {
    http: HttpClient,
    credentials: Credentials,
    key: Option<ApiKey>,
    backoff: Backoff,
    /// What a single answer may take.
    timeout: Duration,
}

/// Whether a request may be sent again when nobody knows what became of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Again {
    /// Sending it twice is as good as once.
    Safe,
    /// It is sent again only when it surely did nothing: no connection, or the platform said that it was too busy.
    Once,
}

/// One answer, its body read.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) body: Vec<u8>,
}

impl Sender {
    /// A sender that shows the key to these addresses and to nobody else.
    #[must_use]
    pub fn new<'a>(
        key: Option<ApiKey>,
        addresses: impl IntoIterator<Item = &'a str>,
        backoff: Backoff,
    ) -> Self {
        let secret = key.as_ref().map(|key| key.secret.clone());
        let credentials = Credentials::new(secret, addresses.into_iter().map(ToOwned::to_owned));
        Self { http: HttpClient::new(), credentials, key, backoff, timeout: TIMEOUT }
    }

    /// Sets what a single answer may take, by default 300 s.
    #[must_use]
    pub fn with_timeout(self, timeout: Duration) -> Self {
        Self { timeout, ..self }
    }

    /// The client below, for what is no control plane: uploads and jobs.
    #[must_use]
    pub fn http(&self) -> &HttpClient {
        &self.http
    }

    /// What may be shown the key.
    #[must_use]
    pub fn credentials(&self) -> &Credentials {
        &self.credentials
    }

    /// Whether there is a key.
    #[must_use]
    pub fn has_key(&self) -> bool {
        self.key.is_some()
    }

    pub(crate) fn timeout(&self) -> Duration {
        self.timeout
    }

    pub(crate) fn backoff(&self) -> Backoff {
        self.backoff
    }

    /// Sends JSON and gives the answer of a platform that is not in trouble; statuses from 400 on are errors unless
    /// `keep` lets them through.
    pub(crate) async fn send(
        &self,
        what: &str,
        method: Method,
        url: &str,
        body: Option<&Value>,
        again: Again,
    ) -> Result<Answer, ControlError> {
        let mut tried = 0;
        loop {
            tried += 1;
            let (error, wait) = match self.try_once(method.clone(), url, body).await {
                Ok(response) => match self.judge(what, response, tried).await? {
                    Judged::Fine(answer) => return Ok(answer),
                    Judged::Busy(error, wait) => (error, wait),
                    Judged::Trouble(error) if again == Again::Safe => (error, None),
                    Judged::Trouble(error) => return Err(error),
                },
                Err(failed) => {
                    let error = ControlError::Unreachable {
                        what: what.to_owned(),
                        reason: failed.text,
                        tries: tried,
                    };
                    if !failed.was_not_sent && again == Again::Once {
                        return Err(error);
                    }
                    (error, None)
                }
            };
            let Some(pause) = self.backoff.after(tried) else { return Err(error) };
            let pause = match wait {
                Some(wait) if wait > LONGEST_WAIT => return Err(error),
                Some(wait) => wait,
                None => pause,
            };
            tracing::debug!(what, tried, pause_ms = pause.as_millis(), %error, "trying again");
            tokio::time::sleep(pause).await;
        }
    }

    async fn try_once(&self, method: Method, url: &str, body: Option<&Value>) -> Result<Response, Failed> {
        let request = self
            .http
            .request(method, url)
            .map_err(|error| Failed { text: error.to_string(), was_not_sent: true })?;
        let mut request = request.timeout(self.timeout);
        if let Some(body) = body {
            request = request.header("content-type", "application/json").body(body.to_string());
        }
        self.credentials.authorize(request, url).send().await.map_err(|error| Failed {
            was_not_sent: error.is_connect(),
            text: unreachable(error).to_string(),
        })
    }

    async fn judge(&self, what: &str, response: Response, tries: u32) -> Result<Judged, ControlError> {
        let status = response.status();
        let retry_after = retry_after(&response);
        let broken = |reason: String| ControlError::Unreachable { what: what.to_owned(), reason, tries };
        let body = match response.bytes().await {
            Ok(body) => body.to_vec(),
            Err(error) => return Ok(Judged::Trouble(broken(unreachable(error).to_string()))),
        };
        let reason = || reasons(&body);
        let what = what.to_owned();
        Ok(match status {
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => {
                return Err(ControlError::Unauthorized { what, reason: self.refused_key(status, &reason()) });
            }
            StatusCode::NOT_FOUND => return Err(ControlError::NotFound { what, reason: reason() }),
            StatusCode::TOO_MANY_REQUESTS => {
                Judged::Busy(ControlError::RateLimited { what, retry_after }, retry_after)
            }
            StatusCode::SERVICE_UNAVAILABLE if retry_after.is_some() => {
                Judged::Busy(broken(format!("the platform is not available: {}", reason())), retry_after)
            }
            status if status.is_server_error() => {
                Judged::Trouble(broken(format!("the platform answered {status}: {}", reason())))
            }
            status if status.is_client_error() => {
                return Err(ControlError::Refused { what, status: status.as_u16(), reason: reason() });
            }
            status => Judged::Fine(Answer { status, body }),
        })
    }

    pub(crate) fn refused_key(&self, status: StatusCode, reason: &str) -> String {
        match &self.key {
            Some(key) => format!(
                "the platform refused the key from {} ({status}: {reason})\nhelp: set RUNPOD_API_KEY to a key of the account, or run `flash login`",
                key.source
            ),
            None => "the platform asks for a key, and there is none\nhelp: set RUNPOD_API_KEY, or run `flash login`".to_owned(),
        }
    }
}

/// A request without an answer.
struct Failed {
    text: String,
    /// It never reached the platform.
    was_not_sent: bool,
}

enum Judged {
    Fine(Answer),
    /// The platform did nothing, and says when to come back.
    Busy(ControlError, Option<Duration>),
    /// Nobody knows what it did.
    Trouble(ControlError),
}

/// Seconds, or what the rate-limit header says about the next window.
pub(crate) fn retry_after(response: &Response) -> Option<Duration> {
    let header = |name: &str| response.headers().get(name)?.to_str().ok();
    let seconds = |text: &str| text.trim().parse().ok().map(Duration::from_secs);
    header("retry-after").and_then(seconds).or_else(|| {
        // `RateLimit: "name";r=0;t=12`, or `RateLimit-Reset: 12` of the older draft.
        let t = header("ratelimit")
            .and_then(|text| text.split(';').find_map(|part| part.trim().strip_prefix("t=")));
        t.and_then(seconds).or_else(|| header("ratelimit-reset").and_then(seconds))
    })
}

/// What an error body says: RFC 9457 with its list, GraphQL's messages, or its first 200 characters.
pub(crate) fn reasons(body: &[u8]) -> String {
    let Ok(json) = serde_json::from_slice::<Value>(body) else {
        let text: String = String::from_utf8_lossy(body).trim().chars().take(200).collect();
        return if text.is_empty() { "no reason given".to_owned() } else { text };
    };
    let text = |value: &Value| value.as_str().map(ToOwned::to_owned);
    let mut parts: Vec<String> = ["detail", "error", "message", "title"]
        .iter()
        .find_map(|key| text(json.get(key)?))
        .into_iter()
        .collect();
    if let Some(errors) = json.get("errors").and_then(Value::as_array) {
        for error in errors {
            parts.extend(text(error).or_else(|| text(error.get("message")?)));
        }
    }
    if parts.is_empty() { "no reason given".to_owned() } else { parts.join("; ") }
}
