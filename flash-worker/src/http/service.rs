use std::collections::HashMap;
use std::convert::Infallible;
use std::future::Future;
use std::sync::Arc;
use std::time::Instant;

use axum::Router;
use flash_core::{App, Scope, WireError, code};
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode, header};
use hyper::body::Incoming;
use tower_service::Service as _;

use super::admission::Admission;
use super::answer::Answer;
use super::body::Reader;
use super::budget::Budget;
use super::guest::{Guest, Visit};
use super::limits::Limits;
use super::request::{Reply, Work};
use super::routes::{Route, Routes};
use super::vitals::{Busy, Vitals};
use super::{access, head, response};
use crate::metrics;
use crate::shutdown::Shutdown;

/// Seconds after which a request may come again that no function would answer.
const SOON: u64 = 1;

/// The functions of one endpoint, with the places that it has for them.
#[derive(Debug)]
pub(crate) struct Site {
    pub(super) routes: Routes,
    pub(super) admission: Arc<Admission>,
}

/// Which endpoints a server has.
#[derive(Debug)]
pub(crate) enum Sites {
    /// One, at the root: a deployed worker.
    Root(Site),
    /// Each below its name: the local role.
    Named(HashMap<&'static str, Site>),
}

/// Everything that answers requests.
///
/// A declared function is found and answered right here, because every layer between socket and function costs each
/// request. What is none goes to an axum router: health, the user's own routers, and the words for what is not there.
#[derive(Debug)]
pub(crate) struct Service {
    pub(crate) app: App,
    pub(crate) sites: Sites,
    pub(crate) others: Router,
    pub(crate) limits: Limits,
    pub(crate) budget: Arc<Budget>,
    /// The server takes its leave: answers ask the client not to come back on this connection.
    pub(crate) leaving: Shutdown,
    /// Set when a function says that the worker cannot go on.
    pub(crate) broken: Shutdown,
}

impl Sites {
    /// No function at all.
    pub(crate) fn none() -> Self {
        Self::Named(HashMap::new())
    }

    /// The function that a request asks for, its endpoint, and the length of what stands before the endpoint's own path.
    fn find(&self, method: &Method, path: &str) -> Option<(&Site, &Route, usize)> {
        let (site, prefix) = match self {
            Self::Root(site) => (site, 0),
            Self::Named(sites) => {
                let name = path.strip_prefix('/')?.split('/').next()?;
                (sites.get(name)?, 1 + name.len())
            }
        };
        Some((site, site.routes.find(method, &path[prefix..])?, prefix))
    }
}

impl Service {
    /// Answers one request.
    pub(super) async fn call(
        self: Arc<Self>,
        vitals: Arc<Vitals>,
        request: Request<Incoming>,
    ) -> Result<Response<Answer>, Infallible> {
        let busy = Busy::new(&vitals);
        let running = metrics::request();
        let began = Instant::now();
        let id = head::id_of(request.headers());
        let line = access::Line::of(&request);
        let mut response = match self.sites.find(request.method(), request.uri().path()) {
            Some((site, route, prefix)) => {
                let (limits, budget) = (&self.limits, &self.budget);
                let work = Work { app: &self.app, route, limits, budget, id: &id, prefix };
                self.run(site, work, request, began).await
            }
            None => self.other(request, &id).await,
        };
        head::name(response.headers_mut(), &id);
        if self.leaving.has_started() {
            response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
        }
        line.log(&id, response.status(), began);
        running.answered(response.status());
        if response.status() == StatusCode::SWITCHING_PROTOCOLS {
            busy.upgraded();
        }
        Ok(response.map(|answer| answer.until_written(busy)))
    }

    async fn run(
        &self,
        site: &Site,
        work: Work<'_>,
        request: Request<Incoming>,
        began: Instant,
    ) -> Response<Answer> {
        let (route, id) = (work.route.function.meta().http, work.id);
        let (parts, body) = request.into_parts();
        let outcome = match site.admission.enter() {
            Ok(permit) => {
                let outcome = work.answer(parts, body, permit).await;
                site.admission.served(began.elapsed());
                outcome
            }
            Err(error) => {
                self.discard(&parts.headers, body).await;
                Err(error)
            }
        };
        match outcome {
            Ok(Reply::Value(encoded)) => response::success(route, encoded),
            Ok(Reply::Stream(events)) => response::stream(route, events),
            Err(error) => self.failed(error, id, site.admission.retry_after()),
        }
    }

    /// Reads a body that nobody wants: a client that is still sending when the answer comes takes it for a broken connection.
    #[cold]
    async fn discard(&self, headers: &HeaderMap, body: Incoming) {
        let reader = Reader::new(body, head::content_length(headers), &self.limits, self.app.clock());
        reader.asking_first(headers.contains_key(header::EXPECT)).discard().await;
    }

    #[cold]
    fn failed(&self, mut error: WireError, id: &str, retry_after: u64) -> Response<Answer> {
        if error.fatal {
            tracing::error!(request_id = id, code = %error.code, "the worker cannot go on: {}", error.message);
            self.broken.start();
        }
        error.request_id = Some(id.to_owned());
        let mut response = response::problem(&error);
        if error.code == code::OVERLOADED {
            response.headers_mut().insert(header::RETRY_AFTER, retry_after.into());
        }
        response
    }

    async fn other(&self, request: Request<Incoming>, id: &Arc<str>) -> Response<Answer> {
        let scope = Scope::builder(self.app.clone()).request_id(Arc::clone(id)).build();
        let mut router = self.others.clone();
        let (parts, body) = request.into_parts();
        let mut share = self.budget.share();
        if let Some(size) = head::content_length(&parts.headers)
            && let Err(error) = self.limits.check_body(size, true).and_then(|()| share.grow_to(size))
        {
            self.discard(&parts.headers, body).await;
            return self.failed(error, id, SOON);
        }
        let visit = Arc::new(Visit::new(share));
        let body = Guest::new(body, self.limits, self.app.clock().clone(), Arc::clone(&visit));
        let request = Request::from_parts(parts, axum::body::Body::new(body));
        let answered = guarded(scope.enter(async move {
            match router.call(request).await {
                Ok(response) => response,
                Err(never) => match never {},
            }
        }));
        let answered = answered.await;
        if let Some(error) = visit.refusal() {
            return self.failed(error, id, SOON);
        }
        match answered {
            Ok(response) => response.map(Answer::other),
            Err(text) => {
                tracing::error!(request_id = &**id, "a handler panicked: {text}");
                let mut error = WireError::new(code::PANIC, "the handler panicked");
                error.request_id = Some(id.to_string());
                response::problem(&error)
            }
        }
    }
}

/// Turns a panic of the user's own handler into its text.
async fn guarded<F: Future>(future: F) -> Result<F::Output, String> {
    let mut future = std::pin::pin!(future);
    std::future::poll_fn(move |cx| {
        use std::panic::{AssertUnwindSafe, catch_unwind};
        // Unwind safety: after a panic the future is never polled again, only dropped.
        match catch_unwind(AssertUnwindSafe(|| future.as_mut().poll(cx))) {
            Ok(poll) => poll.map(Ok),
            Err(panic) => {
                let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
                let text = text.or_else(|| panic.downcast_ref::<String>().cloned());
                std::task::Poll::Ready(Err(text.unwrap_or_default()))
            }
        }
    })
    .await
}
