//! The files of the page.

use axum::body::Body;
use axum::extract::Path;
use axum::response::Response;
use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use http::{HeaderValue, StatusCode};

macro_rules! files {
    ($($name:literal: $kind:literal),* $(,)?) => {
        /// Name, content type and content.
        const FILES: &[(&str, &str, &str)] = &[$(($name, $kind, include_str!(concat!("../../ui/", $name)))),*];
    };
}

files! {
    "index.html": "text/html; charset=utf-8",
    "style.css": "text/css; charset=utf-8",
    "icon.svg": "image/svg+xml",
    "api.js": "text/javascript; charset=utf-8",
    "app.js": "text/javascript; charset=utf-8",
    "dom.js": "text/javascript; charset=utf-8",
    "endpoint.js": "text/javascript; charset=utf-8",
    "form.js": "text/javascript; charset=utf-8",
    "format.js": "text/javascript; charset=utf-8",
    "job.js": "text/javascript; charset=utf-8",
    "jobs.js": "text/javascript; charset=utf-8",
    "keys.js": "text/javascript; charset=utf-8",
    "overview.js": "text/javascript; charset=utf-8",
    "parts.js": "text/javascript; charset=utf-8",
    "schema.js": "text/javascript; charset=utf-8",
    "send.js": "text/javascript; charset=utf-8",
    "state.js": "text/javascript; charset=utf-8",
    "theme.js": "text/javascript; charset=utf-8",
    "try.js": "text/javascript; charset=utf-8",
    "worker.js": "text/javascript; charset=utf-8",
}

pub(super) async fn index() -> Response {
    file("index.html")
}

pub(super) async fn named(Path(name): Path<String>) -> Response {
    file(&name)
}

fn file(name: &str) -> Response {
    let Some((_, kind, text)) = FILES.iter().find(|(known, ..)| *known == name) else {
        let mut response = Response::new(Body::from("there is no such file"));
        *response.status_mut() = StatusCode::NOT_FOUND;
        return response;
    };
    let mut response = Response::new(Body::from(*text));
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    // Another version of the platform may be next on this port.
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    response
}
