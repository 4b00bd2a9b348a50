//! Answers, all of them JSON.

use std::io::Write as _;

use axum::body::Body;
use axum::http::header::{CONTENT_TYPE, HeaderValue};
use axum::http::{Method, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use flash_core::wire::Job;
use serde::Serialize;

use super::rate;
use crate::{Payload, QueueError, StoreError};

/// A value as JSON. `payload` is about how many bytes it carries, so that a large one is not copied while it grows.
pub(super) fn json<T: Serialize>(value: &T, payload: usize) -> Response {
    let mut text = Vec::with_capacity(payload + 256);
    match serde_json::to_writer(&mut text, value) {
        Ok(()) => with_text(StatusCode::OK, text),
        Err(error) => {
            tracing::error!(%error, "failed to write an answer");
            refusal(StatusCode::INTERNAL_SERVER_ERROR, "answer could not be written")
        }
    }
}

/// A job, as serde writes it ([`Job`] is the format), but piece by piece: it is the answer to nearly every request of a client.
pub(super) fn job(job: &Job<Payload>) -> Response {
    let Job { id, status, delay_time, execution_time, worker_id, output, error, retries } = job;
    let mut text = Vec::with_capacity(output.as_ref().map_or(0, Payload::len) + 256);
    text.extend_from_slice(b"{\"id\":");
    string(&mut text, id.as_str());
    text.extend_from_slice(b",\"status\":");
    string(&mut text, status.as_str());
    let retries = retries.map(u64::from);
    for (key, number) in [(",\"delayTime\":", *delay_time), (",\"executionTime\":", *execution_time)] {
        numbered(&mut text, key, number);
    }
    if let Some(worker) = worker_id {
        text.extend_from_slice(b",\"workerId\":");
        string(&mut text, worker.as_str());
    }
    if let Some(output) = output {
        text.extend_from_slice(b",\"output\":");
        text.extend_from_slice(output.get().as_bytes());
    }
    if let Some(error) = error {
        text.extend_from_slice(b",\"error\":");
        string(&mut text, error);
    }
    numbered(&mut text, ",\"retries\":", retries);
    text.push(b'}');
    with_text(StatusCode::OK, text)
}

fn numbered(text: &mut Vec<u8>, key: &str, number: Option<u64>) {
    if let Some(number) = number {
        text.extend_from_slice(key.as_bytes());
        // Memory takes everything.
        let _ = write!(text, "{number}");
    }
}

/// A string with its quotes. Nearly none has something to be escaped.
fn string(text: &mut Vec<u8>, value: &str) {
    if value.bytes().any(|byte| byte < b' ' || byte == b'"' || byte == b'\\') {
        // Memory takes everything, and a string always serialises.
        let _ = serde_json::to_writer(text, value);
        return;
    }
    text.push(b'"');
    text.extend_from_slice(value.as_bytes());
    text.push(b'"');
}

/// `{}`: for workers, who read only the status.
pub(super) fn empty() -> Response {
    with_text(StatusCode::OK, b"{}".as_slice())
}

pub(super) fn no_content() -> Response {
    StatusCode::NO_CONTENT.into_response()
}

pub(super) async fn no_route(method: Method, uri: Uri) -> Response {
    refusal(StatusCode::NOT_FOUND, &format!("no route {method} {}", uri.path()))
}

pub(super) async fn wrong_method(method: Method, uri: Uri) -> Response {
    refusal(StatusCode::METHOD_NOT_ALLOWED, &format!("{method} is not allowed for {}", uri.path()))
}

fn refusal(status: StatusCode, error: &str) -> Response {
    #[derive(Serialize)]
    struct Refusal<'a> {
        error: &'a str,
    }
    // A string always serialises.
    with_text(status, serde_json::to_vec(&Refusal { error }).unwrap_or_default())
}

fn with_text(status: StatusCode, text: impl Into<Body>) -> Response {
    let mut response = Response::new(text.into());
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

impl IntoResponse for QueueError {
    fn into_response(self) -> Response {
        let status = match &self {
            Self::UnknownEndpoint(_) | Self::UnknownJob(_) => StatusCode::NOT_FOUND,
            Self::Unauthorized => StatusCode::UNAUTHORIZED,
            Self::BodyTooLarge { .. } | Self::ResultTooLarge { vanished: false, .. } => {
                StatusCode::PAYLOAD_TOO_LARGE
            }
            Self::NotJson(_) | Self::NoInput { .. } | Self::Invalid(_) | Self::NotRetryable(_) => {
                StatusCode::BAD_REQUEST
            }
            Self::ResultTooLarge { vanished: true, .. } => StatusCode::BAD_REQUEST,
            Self::KeyReused(_) => StatusCode::UNPROCESSABLE_ENTITY,
            Self::StreamFull { .. } => StatusCode::TOO_MANY_REQUESTS,
            Self::RateLimited { retry_after, .. } => {
                let mut response = refusal(StatusCode::TOO_MANY_REQUESTS, &self.to_string());
                rate::write_retry_after(*retry_after, response.headers_mut());
                return response;
            }
            Self::Store(StoreError::Full(text)) => {
                tracing::error!(error = text, "request failed");
                return refusal(StatusCode::INSUFFICIENT_STORAGE, text);
            }
            Self::Store(StoreError::Damaged(text)) => {
                tracing::error!(error = text, "request failed");
                return refusal(StatusCode::INTERNAL_SERVER_ERROR, text);
            }
            Self::Store(error) => {
                tracing::error!(%error, "request failed");
                return refusal(StatusCode::INTERNAL_SERVER_ERROR, "job store failed");
            }
        };
        refusal(status, &self.to_string())
    }
}

#[cfg(test)]
mod tests {
    use flash_core::wire::JobStatus;
    use http_body_util::BodyExt;

    use super::*;

    async fn text(response: Response) -> String {
        let bytes = response.into_body().collect().await.unwrap().to_bytes();
        String::from_utf8(bytes.to_vec()).unwrap()
    }

    #[tokio::test]
    async fn a_job_is_written_as_serde_writes_it() {
        for status in JobStatus::ALL {
            let bare = Job::<Payload>::new("j-u1".into(), status);
            let whole = Job {
                id: "a \"quoted\" \\ id\n".into(),
                delay_time: Some(0),
                execution_time: Some(u64::MAX),
                worker_id: Some("w\u{1f}\u{7f}ü".into()),
                output: Some(Payload::from_json(r#"{"a":  [1]}"#).unwrap()),
                error: Some("line\nline".to_owned()),
                retries: Some(1),
                ..bare.clone()
            };
            for one in [bare, whole] {
                assert_eq!(text(job(&one)).await, serde_json::to_string(&one).unwrap());
            }
        }
    }
}
