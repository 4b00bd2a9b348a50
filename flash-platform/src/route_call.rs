use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use flash_core::wire::{headers, sse};
use flash_core::{
    CHUNK_LIMIT, CallFailure, CallRequest, ChunkStream, Error, FieldWriter, Fields, HttpRoute, Method,
    Origin as Source, Problem, WireError, code, unfold,
};
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HOST, HeaderValue, USER_AGENT};
use http::uri::PathAndQuery;
use http::{Request, StatusCode, Uri};
use http_body_util::Full;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use reqwest::{Client, Response};

use crate::base::Base;
use crate::credentials::Credentials;
use crate::direct::Lost;
use crate::http::{AGENT, HttpClient, parsed, unreachable};
use crate::jobs::{message_of, unauthorized};
use crate::queue_call::in_force;

/// How long a call of an HTTP endpoint may take when neither caller nor call says so.
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(60);
/// The same for a stream: what the platform allows a request (platform contract C).
const DEFAULT_STREAM_TIMEOUT: Duration = Duration::from_secs(330);
const JSON: &str = "application/json";
/// Bytes around an item in its event.
const AROUND_ITEM: usize = 1_000;

/// What stays as it is in a path segment or a query (RFC 3986, unreserved).
const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// A call on its way to a route.
#[derive(Debug)]
pub(crate) struct RouteCall {
    pub(crate) http: HttpClient,
    pub(crate) credentials: Credentials,
    pub(crate) base: Arc<Base>,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) request: Arc<CallRequest>,
}

impl RouteCall {
    /// Calls, and waits for the answer; that of a streaming function as an array of its items.
    pub(crate) async fn call(self) -> Result<Vec<u8>, CallFailure> {
        let request = Arc::clone(&self.request);
        let clock = request.app.clock();
        let now = clock.now();
        let until = request.deadline.unwrap_or(now + DEFAULT_TIMEOUT);
        clock.timeout_at(until, self.send()).await.unwrap_or_else(|_| {
            let name = request.callee.name;
            Err(match request.deadline {
                Some(_) => late(name, &in_force(request.timeout, Some(until.since(now)))),
                None => late(name, &format!("the default of {DEFAULT_TIMEOUT:?}; `.timeout()` sets another")),
            })
        })
    }

    async fn send(self) -> Result<Vec<u8>, CallFailure> {
        if self.http.is_proxied() || self.request.callee.is_stream() {
            // Boxed, so that other calls do not have its size.
            return Box::pin(self.send_by_client()).await;
        }
        let request = self.build().map_err(CallFailure::Transport)?;
        let (status, body) = self
            .base
            .origin
            .send(request.map(Full::new), usize::MAX)
            .await
            .map_err(|lost| CallFailure::Transport(self.lost(&lost)))?;
        if !status.is_success() {
            return Err(self.refused(status, &body));
        }
        Ok(answered(body))
    }

    /// By the client that knows proxies, and streams.
    async fn send_by_client(self) -> Result<Vec<u8>, CallFailure> {
        let response = self.open().await?;
        if is_stream(&response) {
            let mut items = Items::of(response);
            let mut json = b"[".to_vec();
            while let Some(item) = items.next().await {
                if json.len() > 1 {
                    json.push(b',');
                }
                json.extend(item?);
            }
            json.push(b']');
            return Ok(json);
        }
        let body = response.bytes().await.map_err(|error| CallFailure::Transport(lost(error)))?;
        Ok(answered(body))
    }

    /// Calls, and reads the items as they arrive. Dropping the stream closes the connection, which stops the callee.
    pub(crate) fn stream(self) -> ChunkStream {
        let clock = self.request.app.clock().clone();
        let deadline = self.request.deadline.unwrap_or_else(|| clock.now() + DEFAULT_STREAM_TIMEOUT);
        let name = self.request.callee.name;
        Box::pin(unfold(Some(Step::Open(Box::new(self))), move |step| {
            let clock = clock.clone();
            async move {
                let step = step?;
                match clock.timeout_at(deadline, step.next()).await {
                    Ok(next) => next,
                    Err(_) => Some((Err(late(name, "the time of its stream")), None)),
                }
            }
        }))
    }

    /// Sends the request by the general client; the answer is a success.
    async fn open(&self) -> Result<Response, CallFailure> {
        let (client, request) = self.build_for_client().map_err(CallFailure::Transport)?;
        let response = client.execute(request).await.map_err(|error| CallFailure::Transport(lost(error)))?;
        let status = response.status();
        if status.is_success() {
            return Ok(response);
        }
        let body = response.bytes().await.map_err(|error| CallFailure::Transport(lost(error)))?;
        Err(self.refused(status, &body))
    }

    /// What an answer means that is no success.
    #[cold]
    fn refused(&self, status: StatusCode, body: &[u8]) -> CallFailure {
        // Only a problem document is the function's own answer; a gateway has other words.
        if let Ok(problem) = serde_json::from_slice::<Problem>(body) {
            return CallFailure::Remote(WireError::from(problem));
        }
        let text = message_of(&String::from_utf8_lossy(body));
        let address = &self.base.address;
        let failed = |code| Error::new(code, format!("{address} answered {status}: {text}")).retryable();
        CallFailure::Transport(match status.as_u16() {
            401 | 403 => unauthorized(address, self.credentials.has_key()),
            404 => Error::new(code::NOT_FOUND, format!("{address} answered 404: {text}")),
            // Nobody took it.
            429 => failed(code::RATE_LIMITED),
            503 => failed(code::UNREACHABLE),
            500..=599 => failed(code::UNREACHABLE).in_doubt(),
            _ => Error::new(code::BAD_ANSWER, format!("{address} answered {status}: {text}")),
        })
    }

    #[cold]
    fn lost(&self, lost: &Lost) -> Error {
        let text = format!("{} could not be reached: {lost}", self.base.address);
        let error = Error::new(code::UNREACHABLE, text).retryable();
        if lost.may_have_arrived() { error.in_doubt() } else { error }
    }

    /// The request as it goes to the endpoint's host. Made in place: a builder that is handed from header to header costs more
    /// than all headers.
    fn build(&self) -> Result<Request<Bytes>, Error> {
        let request = &self.request;
        let Some(route) = request.callee.http else {
            let name = request.callee.name;
            return Err(Error::new(code::INTERNAL, format!("function `{name}` has no route")));
        };
        let (target, body) = if route.method != Method::GET && !route.path.contains('{') {
            // Everything goes into the body, as it stands there already.
            ([&*self.base.path, route.path].concat(), request.input.clone())
        } else {
            let (path, body) = self.spread(route)?;
            ([&*self.base.path, &*path].concat(), body)
        };
        let has_body = route.method != Method::GET;
        let mut built = Request::new(if has_body { Bytes::from(body) } else { Bytes::new() });
        *built.method_mut() =
            http::Method::from_bytes(route.method.as_str().as_bytes()).map_err(Error::internal)?;
        let target = PathAndQuery::from_maybe_shared(Bytes::from(target)).map_err(|error| {
            let text = format!("the route `{}` is no address: {error}", route.path);
            Error::new(code::INVALID_REQUEST, text).terminal()
        })?;
        *built.uri_mut() = Uri::from(target);
        let headers = built.headers_mut();
        headers.reserve(8);
        headers.insert(HOST, self.base.origin.authority());
        headers.insert(USER_AGENT, HeaderValue::from_static(AGENT));
        if let Some(key) = self.credentials.bearer(&self.base.url)? {
            headers.insert(AUTHORIZATION, key);
        }
        headers.insert(headers::TRACEPARENT, value(request.trace.to_string())?);
        for (name, text) in &self.headers {
            headers.insert(*name, value(text.clone())?);
        }
        if let Some(deadline) = request.deadline {
            headers.insert(headers::DEADLINE, deadline.as_millis().into());
        }
        if let Some(key) = &request.options.idempotency_key {
            headers.insert(headers::IDEMPOTENCY_KEY, value(key.clone())?);
        }
        // Bytes come as JSON text then, as the caller reads them.
        let accept = if request.callee.is_stream() { sse::CONTENT_TYPE } else { JSON };
        headers.insert(ACCEPT, HeaderValue::from_static(accept));
        if has_body {
            headers.insert(CONTENT_TYPE, HeaderValue::from_static(JSON));
        }
        Ok(built)
    }

    /// The same for the general client, which has words of its own for the host and for itself.
    fn build_for_client(&self) -> Result<(&Client, reqwest::Request), Error> {
        let (mut head, body) = self.build()?.into_parts();
        let path = head.uri.path_and_query().map_or("", PathAndQuery::as_str);
        let path = path.strip_prefix(&*self.base.path).unwrap_or(path);
        let url = parsed(&[&*self.base.address, path].concat())?;
        head.headers.remove(HOST);
        head.headers.remove(USER_AGENT);
        let client = self.http.client_of(&url)?;
        let mut built = reqwest::Request::new(head.method, url);
        *built.headers_mut() = head.headers;
        if !body.is_empty() {
            *built.body_mut() = Some(body.into());
        }
        Ok((client, built))
    }

    /// The arguments where they belong: in the path and its query, and the others in a body.
    fn spread(&self, route: HttpRoute) -> Result<(String, Vec<u8>), Error> {
        let fields = Fields::from_json(Source::Body, &self.request.input).map_err(Error::from)?;
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
        if !query.is_empty() {
            path = format!("{path}?{query}");
        }
        Ok((path, body.finish().map_err(Error::from)?))
    }
}

/// The answer of a function that returns nothing may be empty.
fn answered(body: Bytes) -> Vec<u8> {
    if body.is_empty() { b"null".to_vec() } else { body.into() }
}

fn value(text: String) -> Result<HeaderValue, Error> {
    HeaderValue::try_from(text).map_err(|_| {
        let text = "the call has a key or a header with characters that no header can hold";
        Error::new(code::INVALID_REQUEST, text).terminal()
    })
}

fn late(name: &str, what: &str) -> CallFailure {
    let text = format!("`{name}` did not answer within {what}");
    CallFailure::Transport(Error::new(code::TIMEOUT, text).retryable().in_doubt())
}

fn lost(error: reqwest::Error) -> Error {
    let may_have_arrived = !error.is_connect();
    let error = unreachable(error);
    if may_have_arrived { error.in_doubt() } else { error }
}

fn is_stream(response: &Response) -> bool {
    let kind = response.headers().get("content-type").and_then(|kind| kind.to_str().ok());
    kind.is_some_and(|kind| kind.starts_with(sse::CONTENT_TYPE))
}

/// Where the reading of a stream stands.
enum Step {
    Open(Box<RouteCall>),
    Read(Box<Items>),
}

impl Step {
    async fn next(self) -> Option<(Result<Vec<u8>, CallFailure>, Option<Self>)> {
        let mut items = match self {
            Self::Read(items) => items,
            Self::Open(call) => match call.open().await {
                Ok(response) => Box::new(Items::of(response)),
                Err(failure) => return Some((Err(failure), None)),
            },
        };
        let item = items.next().await?;
        Some((item, Some(Self::Read(items))))
    }
}

/// The items in an answer of server-sent events.
struct Items {
    response: Response,
    decoder: sse::Decoder,
    events: std::vec::IntoIter<sse::Event>,
    has_ended: bool,
}

impl Items {
    fn of(response: Response) -> Self {
        let events = Vec::new().into_iter();
        Self { response, decoder: sse::Decoder::new(), events, has_ended: false }
    }

    async fn next(&mut self) -> Option<Result<Vec<u8>, CallFailure>> {
        if self.has_ended {
            return None;
        }
        loop {
            if let Some(event) = self.events.next() {
                return match event.name.as_str() {
                    "" | "message" => Some(Ok(event.data.into_bytes())),
                    sse::END => {
                        self.has_ended = true;
                        None
                    }
                    sse::ERROR => {
                        self.has_ended = true;
                        Some(Err(failure(&event.data)))
                    }
                    // A later version may say more.
                    _ => continue,
                };
            }
            let failed = match self.response.chunk().await {
                Ok(Some(bytes)) => {
                    self.events = self.decoder.push(&bytes).into_iter();
                    if self.decoder.buffered() <= CHUNK_LIMIT + AROUND_ITEM {
                        continue;
                    }
                    let text = format!("an item of the stream is over the limit of {CHUNK_LIMIT} bytes");
                    Error::new(code::BAD_ANSWER, text)
                }
                Ok(None) => Error::new(code::UNREACHABLE, "the stream was cut off before its end")
                    .retryable()
                    .in_doubt(),
                Err(error) => lost(error).in_doubt(),
            };
            self.has_ended = true;
            return Some(Err(CallFailure::Transport(failed)));
        }
    }
}

fn failure(data: &str) -> CallFailure {
    match serde_json::from_str::<Problem>(data) {
        Ok(problem) => CallFailure::Remote(WireError::from(problem)),
        Err(error) => {
            let text = format!("the error in the stream is no problem document: {error}");
            CallFailure::Transport(Error::new(code::BAD_ANSWER, text))
        }
    }
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
