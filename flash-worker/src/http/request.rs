use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use flash_core::{
    App, Encoded, Fields, JobControl, Method, Origin, Produced, Registration, Scope, WireError, code,
};
use http::header;
use http::request::Parts;
use hyper::body::Body;

use super::admission::Permit;
use super::body::Reader;
use super::head::{self, Headers};
use super::limits::Limits;
use super::query;
use super::stream::Events;

/// One request on its way through the corridor that the HTTP door shares with the queue door.
pub(super) struct Work<'a> {
    pub(super) app: &'a App,
    pub(super) function: &'static Registration,
    pub(super) limits: &'a Limits,
    pub(super) id: &'a str,
    /// Length of what stands before the endpoint's own path.
    pub(super) prefix: usize,
}

impl Work<'_> {
    /// Binds the arguments and runs the function. The place among the running functions is given back at its end.
    pub(super) async fn answer<B>(self, parts: Parts, body: B, permit: Permit) -> Result<Reply, WireError>
    where
        B: Body<Data = Bytes, Error: std::fmt::Display> + Unpin,
    {
        let Self { app, function, limits, id, prefix } = self;
        let Parts { headers, uri, .. } = parts;
        let meta = function.meta();
        let Some(route) = meta.http else {
            return Err(WireError::new(code::INTERNAL, "the function has no route"));
        };
        let clock = app.clock();
        let length = head::content_length(&headers);
        let body = Reader::new(body, length, limits, clock).whole().await?;
        let mut fields = Fields::empty(Origin::Body);
        if route.path.contains('{') {
            query::add_path(&mut fields, route.path, &uri.path()[prefix..])?;
        }
        if let Some(text) = uri.query() {
            query::add(&mut fields, text);
        }
        if !body.is_empty() {
            check_content_type(&headers)?;
            fields.add_json(&body)?;
            check_shape(&fields, function)?;
        } else if matches!(route.method, Method::GET | Method::DELETE) {
            fields.expect_in(Origin::Query);
        }
        let own = meta.resource.execution_timeout_ms().map(|ms| clock.now() + Duration::from_millis(ms));
        let inherited = head::deadline(&headers);
        if inherited.is_some_and(|deadline| deadline <= clock.now()) {
            return Err(WireError::new(
                code::TIMEOUT,
                "the caller's deadline was over when the request came",
            ));
        }
        let mut scope = Scope::builder(app.clone())
            .request_id(id)
            .function(meta)
            .deadline(own)
            .deadline(inherited)
            .head(Box::new(Headers(headers)));
        let permit = Arc::new(permit);
        if !meta.is_async {
            // A blocking function goes on when its caller is gone, and keeps its place until it has ended.
            scope = scope.control(Arc::new(Held(Arc::clone(&permit))));
        }
        let scope = scope.build();
        let place = Place { scope: Some(scope.clone()), _permit: permit };
        let running = function.start(fields, scope, limits.answer)?;
        // The arguments have their own copies.
        drop(body);
        match running.run().await {
            Ok(Produced::Value(encoded)) => {
                place.done();
                Ok(Reply::Value(encoded))
            }
            Ok(Produced::Stream(chunks)) => Ok(Reply::Stream(Events::new(chunks, place))),
            Err(error) => {
                place.done();
                Err(error)
            }
        }
    }
}

/// What a function answers with.
pub(super) enum Reply {
    /// One value.
    Value(Encoded),
    /// Items that are still to come.
    Stream(Events),
}

/// The place of a running function. A caller that goes away before its answer takes the function with it; a blocking one
/// learns of it by asking.
pub(super) struct Place {
    /// `None` when it has ended by itself.
    scope: Option<Scope>,
    _permit: Arc<Permit>,
}

impl Place {
    /// The function has ended by itself.
    pub(super) fn done(mut self) {
        self.scope = None;
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if let Some(scope) = &self.scope {
            scope.cancellation().cancel();
        }
    }
}

/// What a blocking function holds on to. Nobody asks an HTTP request how far it is.
#[derive(Debug)]
struct Held(Arc<Permit>);

impl JobControl for Held {
    fn progress(&self, _: Vec<u8>) {}

    fn refresh_worker(&self) {}

    fn hold(&self) -> Box<dyn std::any::Any + Send> {
        Box::new(Arc::clone(&self.0))
    }
}

fn check_content_type(headers: &http::HeaderMap) -> Result<(), WireError> {
    let Some(value) = headers.get(header::CONTENT_TYPE) else { return Ok(()) };
    if value == "application/json" {
        return Ok(());
    }
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
