//! Things that go wrong on purpose, so that a test sees what its code does then.

use std::fmt;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::Body;
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use flash_core::clock::Clock;
use http::StatusCode;
use hyper::body::{Body as HttpBody, Frame};
use tokio::sync::watch;

use crate::supervisor::{Roster, Signal};

/// What goes wrong with a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fault {
    /// It is answered with this status, and never reaches the platform.
    Status(StatusCode),
    /// The connection is closed without an answer. The request never reaches the platform.
    Drop,
    /// The platform does what was asked, but the connection is closed instead of its answer: the caller can not know.
    DropAnswer,
    /// The connection breaks after so many bytes of the answer's body.
    Cut(usize),
    /// It is held back for so long, by the platform's clock, and then served.
    Delay(Duration),
    /// It is held back until [`Faults::thaw`], and then served.
    Freeze,
    /// The worker that makes it is killed after so many bytes of its body. A request to an HTTP endpoint kills the endpoint's
    /// workers after so many bytes of the answer.
    KillWorker(usize),
}

#[derive(Clone, Debug)]
struct Script {
    part: String,
    fault: Fault,
    /// How often it still happens.
    left: usize,
}

/// The faults of a platform. Clones are the same. Requests are matched by a part of their path (`/job-done/`,
/// `/v2/inference/run`, `/lb/api/`); the first fault that matches happens, as often as it was asked for.
#[derive(Clone, Default)]
pub struct Faults(Arc<Inner>);

#[derive(Default)]
struct Inner {
    scripts: Mutex<Vec<Script>>,
    thawed: watch::Sender<u64>,
}

impl Faults {
    /// Nothing goes wrong.
    pub fn none() -> Self {
        Self::default()
    }

    /// The next request whose path has this part fails so.
    pub fn next(&self, part: impl Into<String>, fault: Fault) {
        self.times(1, part, fault);
    }

    /// The next `times` requests whose path has this part fail so.
    pub fn times(&self, times: usize, part: impl Into<String>, fault: Fault) {
        self.lock().push(Script { part: part.into(), fault, left: times });
    }

    /// All requests whose path has this part fail so, until [`clear`](Self::clear).
    pub fn always(&self, part: impl Into<String>, fault: Fault) {
        self.times(usize::MAX, part, fault);
    }

    /// Nothing more goes wrong. What is frozen stays so.
    pub fn clear(&self) {
        self.lock().clear();
    }

    /// Requests that were frozen go on.
    pub fn thaw(&self) {
        self.0.thawed.send_modify(|count| *count += 1);
    }

    /// How many faults have not happened yet. Those that [always](Self::always) happen do not count.
    pub fn left(&self) -> usize {
        self.lock().iter().filter(|script| script.left < usize::MAX).map(|script| script.left).sum()
    }

    fn take(&self, path: &str) -> Option<Fault> {
        let mut scripts = self.lock();
        let at = scripts.iter().position(|script| path.contains(&script.part))?;
        let fault = scripts[at].fault;
        if scripts[at].left < usize::MAX {
            scripts[at].left -= 1;
        }
        if scripts[at].left == 0 {
            scripts.remove(at);
        }
        Some(fault)
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Script>> {
        self.0.scripts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Faults").field(&*self.lock()).finish()
    }
}

/// Marks an answer that must not be sent: the server closes the connection instead.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Dropped;

/// What the layer needs.
#[derive(Clone)]
pub(crate) struct Injector {
    pub(crate) faults: Faults,
    pub(crate) clock: Clock,
    pub(crate) plane: Arc<crate::plane::Plane>,
}

/// The layer through which every request goes.
pub(crate) async fn inject(State(injector): State<Injector>, request: Request, next: Next) -> Response {
    let Some(fault) = injector.faults.take(request.uri().path()) else { return next.run(request).await };
    tracing::info!(path = request.uri().path(), ?fault, "a scripted fault happens");
    match fault {
        Fault::Status(status) => {
            (status, axum::Json(serde_json::json!({ "error": "scripted fault" }))).into_response()
        }
        Fault::Drop => dropped(),
        Fault::DropAnswer => {
            next.run(request).await;
            dropped()
        }
        Fault::Cut(bytes) => {
            let response = next.run(request).await;
            response.map(|body| Body::new(Limited { body, left: bytes, end: End::Break }))
        }
        Fault::Delay(time) => {
            injector.clock.sleep(time).await;
            next.run(request).await
        }
        Fault::Freeze => {
            // The sender lives in `injector`, so this can not fail.
            let _ = injector.faults.0.thawed.subscribe().changed().await;
            next.run(request).await
        }
        Fault::KillWorker(bytes) => injector.kill(bytes, request, next).await,
    }
}

impl Injector {
    async fn kill(&self, bytes: usize, request: Request, next: Next) -> Response {
        let path: Vec<&str> = request.uri().path().split('/').filter(|part| !part.is_empty()).collect();
        let limited = |workers: Vec<String>, body| {
            let plane = self.plane.clone();
            let kill = Box::new(move || workers.iter().for_each(|worker| kill(&plane.roster, worker)));
            Body::new(Limited { body, left: bytes, end: End::Call(Some(kill)) })
        };
        match path[..] {
            ["v2", _, _, worker, ..] => {
                let workers = vec![worker.split('&').next().unwrap_or_default().to_owned()];
                next.run(request.map(|body| limited(workers, body))).await
            }
            ["lb", endpoint, ..] => {
                let workers = self.plane.roster.workers();
                let of_it = |info: &&crate::WorkerInfo| info.endpoint == *endpoint && info.state.is_alive();
                let workers = workers.iter().filter(of_it).map(|info| info.id.to_string()).collect();
                next.run(request).await.map(|body| limited(workers, body))
            }
            _ => next.run(request).await,
        }
    }
}

fn kill(roster: &Roster, worker: &str) {
    if !matches!(roster.signal(worker, Signal::Kill), Ok(Some(()))) {
        tracing::warn!(worker, "a worker that should be killed is not there");
    }
}

fn dropped() -> Response {
    let mut response = StatusCode::SERVICE_UNAVAILABLE.into_response();
    response.extensions_mut().insert(Dropped);
    response
}

enum End {
    Break,
    Call(Option<Box<dyn FnOnce() + Send>>),
}

/// A body to which something happens after so many bytes.
struct Limited {
    body: Body,
    left: usize,
    end: End,
}

impl HttpBody for Limited {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        if self.left == 0 && matches!(self.end, End::Break) {
            return Poll::Ready(Some(Err(axum::Error::new("scripted fault: the connection breaks"))));
        }
        let polled = Pin::new(&mut self.body).poll_frame(cx);
        let Poll::Ready(Some(Ok(frame))) = polled else { return polled };
        let Ok(mut data) = frame.into_data() else { return Poll::Ready(None) };
        let breaks = matches!(self.end, End::Break);
        if data.len() >= self.left {
            if breaks {
                data.truncate(self.left);
            }
            if let End::Call(call) = &mut self.end
                && let Some(call) = call.take()
            {
                call();
            }
        }
        self.left = self.left.saturating_sub(data.len());
        Poll::Ready(Some(Ok(Frame::data(data))))
    }

    fn is_end_stream(&self) -> bool {
        // The break is still to come.
        !matches!(self.end, End::Break) && self.body.is_end_stream()
    }
}
