use axum::body::Body;
use flash_core::{App, Encoded, Fields, Method, Origin, Registration, Scope, WireError, code};
use http::request::Parts;
use http::{HeaderMap, Request, header};
use std::time::Duration;

use super::{body, query};
use crate::identity::request_id;

/// Largest answer in bytes (platform contract C).
const RESULT_LIMIT: usize = 30_000_000;
/// Longest id that is taken over from a caller.
const LONGEST_ID: usize = 128;

/// One request on its way through the corridor that the HTTP door shares with the queue door.
pub(crate) async fn answer(
    app: &App,
    function: &'static Registration,
    request: Request<Body>,
) -> Result<Encoded, WireError> {
    let (parts, body) = request.into_parts();
    let id = id_of(&parts.headers);
    let result = run(app, function, &parts, body, id.clone()).await;
    result.map_err(|mut error| {
        error.request_id = Some(id);
        error
    })
}

async fn run(
    app: &App,
    function: &'static Registration,
    parts: &Parts,
    body: Body,
    id: String,
) -> Result<Encoded, WireError> {
    let meta = function.meta();
    let Some(route) = meta.http else {
        return Err(WireError::new(code::INTERNAL, "the function has no route"));
    };
    let length = content_length(&parts.headers);
    let body = body::read(body, length, body::LIMIT).await?;
    let mut fields = Fields::empty(Origin::Body);
    if route.path.contains('{') {
        // A router that is nested below a prefix gets the path without it.
        query::add_path(&mut fields, route.path, parts.uri.path())?;
    }
    if let Some(text) = parts.uri.query() {
        query::add(&mut fields, text);
    }
    if !body.is_empty() {
        check_content_type(&parts.headers)?;
        fields.add_json(&body)?;
        check_shape(&fields, function)?;
    } else if route.method == Method::GET {
        fields.expect_in(Origin::Query);
    }
    let now = app.clock().now();
    let deadline = meta.resource.execution_timeout_ms().map(|ms| now + Duration::from_millis(ms));
    let scope = Scope::builder(app.clone()).request_id(id).function(meta).deadline(deadline).build();
    function.start(fields, scope, RESULT_LIMIT)?.run_whole().await
}

fn content_length(headers: &HeaderMap) -> Option<usize> {
    headers.get(header::CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

/// The caller's own id where it is harmless, else a new one.
fn id_of(headers: &HeaderMap) -> String {
    let given = headers.get("x-request-id").and_then(|value| value.to_str().ok());
    match given {
        Some(id)
            if !id.is_empty() && id.len() <= LONGEST_ID && id.bytes().all(|byte| byte.is_ascii_graphic()) =>
        {
            id.to_owned()
        }
        _ => request_id(),
    }
}

fn check_content_type(headers: &HeaderMap) -> Result<(), WireError> {
    let Some(value) = headers.get(header::CONTENT_TYPE) else { return Ok(()) };
    let text = value.to_str().unwrap_or_default();
    let kind = text.split(';').next().unwrap_or_default().trim();
    if kind.eq_ignore_ascii_case("application/json") || kind.to_ascii_lowercase().ends_with("+json") {
        return Ok(());
    }
    Err(WireError::new(
        code::UNSUPPORTED_MEDIA_TYPE,
        format!(
            "content type `{kind}` is not read here\nhelp: send JSON with `content-type: application/json`"
        ),
    )
    .terminal())
}

/// `{"input": {…}}` is the shape of a queue endpoint; the message shows the one of this endpoint.
fn check_shape(fields: &Fields<'_>, function: &'static Registration) -> Result<(), WireError> {
    let meta = function.meta();
    if !fields.contains("input") || meta.params.iter().any(|param| param.name == "input") {
        return Ok(());
    }
    let shape =
        meta.params.iter().map(|param| format!("\"{}\": …", param.name)).collect::<Vec<_>>().join(", ");
    Err(WireError::new(
        code::INVALID_REQUEST,
        format!(
            "`input` is the wrapper of a queue endpoint, and `{}` is an HTTP endpoint\nhelp: send the fields \
             themselves: {{{shape}}}",
            meta.resource.name()
        ),
    )
    .terminal())
}
