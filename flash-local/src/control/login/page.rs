//! The page on which a person approves a request: a form, and nothing else, so that it needs no script.

use std::sync::Arc;

use axum::extract::{Form, Query, State};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::get;
use axum::{Router, extract::DefaultBodyLimit};
use http::StatusCode;
use http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, HeaderValue, REFERRER_POLICY};
use serde::Deserialize;

use crate::control::Control;

/// `/flash/login?request=…`, where a command line sends its user (platform contract D.10).
pub(in crate::control) fn routes(control: &Arc<Control>) -> Router {
    Router::new()
        .route("/flash/login", get(ask).post(approve))
        .layer(DefaultBodyLimit::max(8 * 1024))
        .with_state(control.clone())
}

#[derive(Deserialize)]
struct Asked {
    #[serde(default)]
    request: String,
}

#[derive(Deserialize)]
struct Approved {
    #[serde(default)]
    request: String,
    #[serde(default)]
    key: String,
}

async fn ask(Query(Asked { request }): Query<Asked>) -> Response {
    let request = escaped(&request);
    let form = format!(
        "<p>A command line on this machine asks for the API key of this platform.</p>\
         <form method=\"post\" action=\"/flash/login\">\
         <input type=\"hidden\" name=\"request\" value=\"{request}\">\
         <label>API key <input type=\"password\" name=\"key\" required autofocus></label>\
         <button>Approve</button></form>"
    );
    page(StatusCode::OK, &form)
}

async fn approve(
    State(control): State<Arc<Control>>,
    Form(Approved { request, key }): Form<Approved>,
) -> Response {
    if !control.keys.accept(&key) {
        return page(StatusCode::UNAUTHORIZED, "<p>This is not the API key of this platform.</p>");
    }
    if control.logins.approve(&request, control.now()) {
        return page(StatusCode::OK, "<p>Approved. You can close this page.</p>");
    }
    page(StatusCode::NOT_FOUND, "<p>There is no such request any more. Start again on the command line.</p>")
}

fn page(status: StatusCode, content: &str) -> Response {
    let html = format!(
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>Log in</title>\
         <meta name=\"viewport\" content=\"width=device-width\"><h1>Log in</h1>{content}</html>"
    );
    let mut response = (status, Html(html)).into_response();
    let policy = "default-src 'none'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'";
    for (name, value) in
        [(CONTENT_SECURITY_POLICY, policy), (CACHE_CONTROL, "no-store"), (REFERRER_POLICY, "same-origin")]
    {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    response
}

fn escaped(text: &str) -> String {
    let escape = |c: char| match c {
        c if c.is_ascii_alphanumeric() || c == '-' => c.to_string(),
        c => format!("&#{};", c as u32),
    };
    text.chars().map(escape).collect()
}
