use axum::body::Body;
use flash_core::{Encoded, HttpRoute, Problem, WireError};
use http::{HeaderValue, Response, StatusCode, header};

/// A success: the route's status with JSON, or 204 for `()`.
pub(crate) fn success(route: HttpRoute, encoded: Encoded) -> Response<Body> {
    if encoded.is_unit {
        let mut response = Response::new(Body::empty());
        *response.status_mut() = StatusCode::NO_CONTENT;
        return response;
    }
    let mut response = Response::new(Body::from(encoded.json));
    *response.status_mut() = StatusCode::from_u16(route.status).unwrap_or(StatusCode::OK);
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

/// A failure as a problem document.
pub(crate) fn problem(error: &WireError) -> Response<Body> {
    let problem = Problem::from(error);
    // A problem holds strings and a JSON value, and those always encode.
    let body = serde_json::to_vec(&problem).unwrap_or_default();
    let mut response = Response::new(Body::from(body));
    *response.status_mut() =
        StatusCode::from_u16(problem.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
    if let Some(id) = &problem.request_id
        && let Ok(value) = HeaderValue::from_str(id)
    {
        headers.insert("x-request-id", value);
    }
    response
}
