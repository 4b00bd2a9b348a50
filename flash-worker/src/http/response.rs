use flash_core::wire::sse;
use flash_core::{Encoded, HttpRoute, Problem, ResponseHead, WireError};
use http::{HeaderName, HeaderValue, Response, StatusCode, header};

use super::answer::Answer;
use super::stream::Events;

const JSON: HeaderValue = HeaderValue::from_static("application/json");
const BYTES: HeaderValue = HeaderValue::from_static("application/octet-stream");
const PROBLEM: HeaderValue = HeaderValue::from_static("application/problem+json");

/// A success: the route's status with JSON, or 204 for `()`.
pub(super) fn success(route: Option<HttpRoute>, encoded: Encoded) -> Response<Answer> {
    let mut response = match (encoded.is_unit, encoded.raw) {
        (true, _) => {
            let mut response = Response::new(Answer::whole(Vec::new()));
            *response.status_mut() = StatusCode::NO_CONTENT;
            response
        }
        (false, None) => {
            let mut response = Response::new(Answer::whole(encoded.json));
            *response.status_mut() = status(route);
            response.headers_mut().insert(header::CONTENT_TYPE, JSON);
            response
        }
        (false, Some(bytes)) => raw(route, *bytes),
    };
    if let Some(head) = encoded.head {
        apply(&head, &mut response);
    }
    response
}

/// Bytes as they are.
fn raw(route: Option<HttpRoute>, bytes: flash_core::Bytes) -> Response<Answer> {
    let kind = bytes.content_type().and_then(|kind| HeaderValue::from_str(kind).ok()).unwrap_or(BYTES);
    let mut response = Response::new(Answer::whole(bytes.into_inner()));
    *response.status_mut() = status(route);
    response.headers_mut().insert(header::CONTENT_TYPE, kind);
    response
}

/// Status and headers that the function chose. How a message is framed is the server's business, so headers about that are
/// left out.
fn apply(head: &ResponseHead, response: &mut Response<Answer>) {
    if let Some(status) = head.status().and_then(|status| StatusCode::from_u16(status).ok()) {
        *response.status_mut() = status;
    }
    for (name, value) in head.headers() {
        let (Ok(name), Ok(value)) = (HeaderName::from_bytes(name.as_bytes()), HeaderValue::from_str(value))
        else {
            continue;
        };
        match name {
            header::CONTENT_LENGTH | header::TRANSFER_ENCODING | header::CONNECTION => {}
            header::CONTENT_TYPE => drop(response.headers_mut().insert(name, value)),
            name => drop(response.headers_mut().append(name, value)),
        }
    }
}

/// A stream of items, as server-sent events.
pub(super) fn stream(route: Option<HttpRoute>, events: Events) -> Response<Answer> {
    let mut response = Response::new(Answer::other(axum::body::Body::new(events)));
    *response.status_mut() = status(route);
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(sse::CONTENT_TYPE));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    // What nginx and many gateways after it understand: do not collect items before you pass them on.
    headers.insert("x-accel-buffering", HeaderValue::from_static("no"));
    response
}

/// The route's status of a success.
fn status(route: Option<HttpRoute>) -> StatusCode {
    match route {
        Some(route) if route.status != 200 => StatusCode::from_u16(route.status).unwrap_or(StatusCode::OK),
        _ => StatusCode::OK,
    }
}

/// A failure as a problem document.
pub(crate) fn problem(error: &WireError) -> Response<Answer> {
    let problem = Problem::from(error);
    // A problem holds strings and a JSON value, and those always encode.
    let body = serde_json::to_vec(&problem).unwrap_or_default();
    let mut response = Response::new(Answer::whole(body));
    *response.status_mut() =
        StatusCode::from_u16(problem.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    response.headers_mut().insert(header::CONTENT_TYPE, PROBLEM);
    response
}

/// The same, for routes that axum serves.
pub(crate) fn problem_of_axum(error: &WireError) -> axum::response::Response {
    problem(error).map(Answer::into_body)
}
