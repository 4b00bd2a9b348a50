//! Words for what is not there.

use axum::body::Body;
use axum::extract::OriginalUri;
use axum::response::Response;
use flash_core::{WireError, code};
use http::Request;

use super::head;
use super::response::problem_of_axum;

pub(super) async fn not_found(request: Request<Body>) -> Response {
    let text = format!("no route for {} {}", request.method(), path_of(&request));
    refuse(WireError::new(code::NOT_FOUND, text).terminal())
}

pub(super) async fn wrong_method(request: Request<Body>) -> Response {
    let text = format!("{} is not allowed for {}", request.method(), path_of(&request));
    refuse(WireError::new(code::METHOD_NOT_ALLOWED, text).terminal())
}

/// A problem document for the request that is being answered.
pub(crate) fn refuse(mut error: WireError) -> Response {
    error.request_id = head::current_id();
    problem_of_axum(&error)
}

/// The path as the caller wrote it, whatever prefix this router is nested below.
fn path_of(request: &Request<Body>) -> String {
    let original = request.extensions().get::<OriginalUri>();
    original.map_or(request.uri(), |original| &original.0).path().to_owned()
}
