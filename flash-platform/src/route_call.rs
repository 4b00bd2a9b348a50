use std::time::Duration;

use flash_core::{
    CallFailure, CallRequest, Error, FieldWriter, Fields, Method, Origin, Problem, WireError, code,
};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use crate::credentials::Credentials;
use crate::http::{HttpClient, unreachable};
use crate::jobs::{message_of, unauthorized};

/// How long a call of an HTTP endpoint may take when neither caller nor call says so.
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(60);

/// What stays as it is in a path segment or a query (RFC 3986, unreserved).
const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// Calls a function through its HTTP route.
pub(crate) async fn call(
    http: HttpClient,
    credentials: Credentials,
    address: String,
    request: CallRequest,
) -> Result<Vec<u8>, CallFailure> {
    let deadline = request.deadline();
    let clock = request.app.clock().clone();
    let timeout = deadline.map_or(DEFAULT_TIMEOUT, |deadline| deadline.since(clock.now()));
    let sending = send(&http, &credentials, &address, &request);
    clock.timeout(timeout, sending).await.unwrap_or_else(|_| {
        Err(CallFailure::Transport(
            Error::new(code::TIMEOUT, format!("`{}` did not answer within {timeout:?}", request.callee.name))
                .retryable(),
        ))
    })
}

async fn send(
    http: &HttpClient,
    credentials: &Credentials,
    address: &str,
    request: &CallRequest,
) -> Result<Vec<u8>, CallFailure> {
    let built = build(http, address, request).map_err(CallFailure::Transport)?;
    let response = credentials
        .authorize(built, address)
        .send()
        .await
        .map_err(|error| CallFailure::Transport(unreachable(error)))?;
    let status = response.status();
    let body = response.bytes().await.map_err(|error| CallFailure::Transport(unreachable(error)))?;
    if status.is_success() {
        return Ok(if body.is_empty() { b"null".to_vec() } else { body.into() });
    }
    // Only a problem document is the function's own answer; a gateway has other words.
    if let Ok(problem) = serde_json::from_slice::<Problem>(&body) {
        return Err(CallFailure::Remote(WireError::from(problem)));
    }
    let text = message_of(&String::from_utf8_lossy(&body));
    Err(CallFailure::Transport(match status.as_u16() {
        401 | 403 => unauthorized(address, credentials.has_key()),
        404 => Error::new(code::NOT_FOUND, format!("{address} answered 404: {text}")),
        429 | 500..=599 => {
            Error::new(code::UNREACHABLE, format!("{address} answered {status}: {text}")).retryable()
        }
        _ => Error::new(code::BAD_ANSWER, format!("{address} answered {status}: {text}")),
    }))
}

fn build(http: &HttpClient, address: &str, request: &CallRequest) -> Result<reqwest::RequestBuilder, Error> {
    let Some(route) = request.callee.http else {
        let name = request.callee.name;
        return Err(Error::new(code::INTERNAL, format!("function `{name}` has no route")));
    };
    let fields = Fields::from_json(Origin::Body, &request.input).map_err(Error::from)?;
    let mut path = route.path.to_owned();
    let mut query = String::new();
    let mut body = FieldWriter::new(usize::MAX);
    for (name, json) in fields.json_entries() {
        let placeholder = format!("{{{name}}}");
        if path.contains(&placeholder) {
            path = path.replace(&placeholder, &escape(&text_of(json)));
        } else if route.method == Method::GET {
            push_query(&mut query, name, json);
        } else {
            body.put_raw(name, json.as_bytes());
        }
    }
    let url = format!("{address}{path}{}{query}", if query.is_empty() { "" } else { "?" });
    let method = reqwest::Method::from_bytes(route.method.as_str().as_bytes()).map_err(Error::internal)?;
    let built = http.request(method, &url)?;
    if route.method == Method::GET {
        return Ok(built);
    }
    let body = body.finish().map_err(Error::from)?;
    Ok(built.header("content-type", "application/json").body(body))
}

/// A list becomes the same name several times; a missing value is left out.
fn push_query(query: &mut String, name: &str, json: &str) {
    let items: Vec<String> = match serde_json::from_str::<serde_json::Value>(json) {
        Ok(serde_json::Value::Array(items)) => items.iter().map(|item| text_of(&item.to_string())).collect(),
        Ok(serde_json::Value::Null) => Vec::new(),
        _ => vec![text_of(json)],
    };
    for item in items {
        if !query.is_empty() {
            query.push('&');
        }
        query.push_str(&format!("{}={}", escape(name), escape(&item)));
    }
}

/// A string without its quotes; anything else as its JSON.
fn text_of(json: &str) -> String {
    serde_json::from_str::<String>(json).unwrap_or_else(|_| json.to_owned())
}

fn escape(text: &str) -> String {
    utf8_percent_encode(text, ESCAPED).to_string()
}
