//! Answers of the gateway itself. All of them are JSON.

use axum::body::Body;
use axum::response::Response;
use http::header::CONTENT_TYPE;
use http::{HeaderValue, StatusCode};

pub(crate) fn refusal(status: StatusCode, error: &str) -> Response {
    let text = serde_json::json!({ "error": error }).to_string();
    let mut response = Response::new(Body::from(text));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}
