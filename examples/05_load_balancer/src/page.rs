//! A page for people, from a router of axum.

use flash::axum::Router;
use flash::axum::response::Html;
use flash::axum::routing::get;

use crate::CPU;

/// What a browser shows at `/about`.
#[flash::router(resource = CPU)]
pub fn pages() -> Router {
    Router::new().route(
        "/about",
        get(async || Html("<!doctype html><title>Notes</title><p>Notes, text and files over HTTP.</p>")),
    )
}
