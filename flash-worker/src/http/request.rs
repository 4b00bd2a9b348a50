use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use flash_core::{App, Encoded, JobControl, Produced, ReplyForm, Scope, WireError, code};
use http::header;
use http::request::Parts;
use hyper::body::Body;

use super::admission::Permit;
use super::arguments;
use super::body::Reader;
use super::budget::{Budget, Share};
use super::head::{self, Headers};
use super::limits::Limits;
use super::routes::Route;
use super::stream::Events;

/// One request on its way through the corridor that the HTTP door shares with the queue door.
pub(super) struct Work<'a> {
    pub(super) app: &'a App,
    pub(super) route: &'a Route,
    pub(super) limits: &'a Limits,
    pub(super) budget: &'a Arc<Budget>,
    pub(super) id: &'a Arc<str>,
    /// Length of what stands before the endpoint's own path.
    pub(super) prefix: usize,
}

impl Work<'_> {
    /// Binds the arguments and runs the function. The place among the running functions is given back at its end.
    pub(super) async fn answer<B>(self, parts: Parts, body: B, permit: Permit) -> Result<Reply, WireError>
    where
        B: Body<Data = Bytes, Error: std::fmt::Display> + Unpin,
    {
        let Self { app, route, limits, budget, id, prefix } = self;
        let Parts { headers, uri, .. } = parts;
        let function = route.function;
        let meta = function.meta();
        let clock = app.clock();
        let length = head::content_length(&headers);
        let asks_first = headers.contains_key(header::EXPECT);
        // Held until the answer is there: the arguments are as large as the body that they came in.
        let mut share = budget.share();
        let body = Reader::new(body, length, limits, clock).within(&mut share).asking_first(asks_first);
        let body = body.whole().await?;
        let fields = arguments::fields(meta, &headers, &uri, prefix, &body).await?;
        let wants_json = arguments::wants_json(&headers);
        let own = meta.resource.execution_timeout_ms().map(|ms| clock.now() + Duration::from_millis(ms));
        let inherited = head::deadline(&headers);
        if inherited.is_some_and(|deadline| deadline <= clock.now()) {
            return Err(WireError::new(
                code::TIMEOUT,
                "the caller's deadline was over when the request came",
            ));
        }
        let mut scope = Scope::builder(app.clone())
            .request_id(Arc::clone(id))
            .function(meta)
            .deadline(own)
            .deadline(inherited)
            .trace(head::trace(&headers))
            .head(Box::new(Headers(headers)));
        let permit = if meta.is_async {
            Kept::Here(permit)
        } else {
            // A blocking function goes on when its caller is gone, and keeps its place until it has ended.
            let permit = Arc::new(permit);
            scope = scope.control(Arc::new(Held(Arc::clone(&permit))));
            Kept::Shared(permit)
        };
        let scope = scope.build();
        let place = Place { scope: Some(scope.clone()), _permit: permit, _share: share };
        let form = if wants_json { ReplyForm::json(limits.answer) } else { ReplyForm::raw(limits.answer) };
        let running = function.start(fields, scope, form.expecting(route.expected()))?;
        // The arguments have their own copies.
        drop(body);
        match running.run().await {
            Ok(Produced::Value(encoded)) => {
                place.done();
                route.answered(encoded.json.len());
                Ok(Reply::Value(encoded))
            }
            Ok(Produced::Stream(chunks)) if wants_json => {
                let outcome = chunks.collect(limits.answer).await;
                place.done();
                outcome.map(Reply::Value)
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
    _permit: Kept,
    _share: Share,
}

/// Who keeps a place.
enum Kept {
    Here(#[expect(dead_code, reason = "it is there to be dropped")] Permit),
    Shared(#[expect(dead_code, reason = "it is there to be dropped")] Arc<Permit>),
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
