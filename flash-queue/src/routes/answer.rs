//! Answers, all of them JSON.

use axum::body::Body;
use axum::http::header::{CONTENT_TYPE, HeaderValue};
use axum::http::{Method, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use super::rate;
use crate::{QueueError, StoreError};

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
