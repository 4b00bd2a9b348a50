//! Answers that are no errors.

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use http::header::CONTENT_TYPE;
use http::{HeaderValue, StatusCode};
use serde_json::Value;

use super::problem::Problem;

/// What every handler answers.
pub(super) type Answer = Result<Json, Problem>;

/// A JSON document with its status.
#[derive(Debug)]
pub(super) struct Json(pub(super) StatusCode, pub(super) Value);

impl Json {
    pub(super) const fn ok(value: Value) -> Self {
        Self(StatusCode::OK, value)
    }

    pub(super) const fn created(value: Value) -> Self {
        Self(StatusCode::CREATED, value)
    }

    pub(super) const fn deleted() -> Self {
        Self(StatusCode::NO_CONTENT, Value::Null)
    }
}

impl IntoResponse for Json {
    fn into_response(self) -> Response {
        let Self(status, value) = self;
        if status == StatusCode::NO_CONTENT {
            return status.into_response();
        }
        let mut response = Response::new(Body::from(value.to_string()));
        *response.status_mut() = status;
        response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        response
    }
}
