use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use futures_core::Stream as _;
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::app::App;
use crate::call::{CallOptions, LocalJob, LocalRun, Work};
use crate::clock::Timestamp;
use crate::error::{Error, WireError, code};
use crate::fields::{Fields, Origin};
use crate::ids::JobId;
use crate::invoke::{Outcome, Running};
use crate::meta::{DoorKind, Meta};
use crate::scope::Scope;
use crate::stream::{Chunks, Produced, split};
use crate::trace::TraceContext;
use crate::wire::{Job, JobStatus};

/// A call on its way out.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct CallRequest {
    /// The app that calls.
    pub app: App,
    /// The invocation that calls, if a function does.
    pub caller: Option<Scope>,
    /// Whom it calls.
    pub callee: &'static Meta,
    /// The arguments as a JSON object.
    pub input: Vec<u8>,
    /// The time that the caller set for this call.
    pub timeout: Option<Duration>,
    /// When the answer is no longer wanted: the caller's own deadline or the call's time, whichever comes first.
    pub deadline: Option<Timestamp>,
    /// The span of this call.
    pub trace: TraceContext,
    /// Why it stays in this process, when it does.
    pub local_because: &'static str,
    /// What else the caller asks for.
    pub options: CallOptions,
    /// The job whose run this is, in this process.
    pub(crate) job: Option<LocalRun>,
}

impl CallRequest {
    /// When the answer is no longer wanted: the caller's own deadline or the call's time, whichever comes first.
    #[must_use]
    pub fn deadline(&self) -> Option<Timestamp> {
        self.deadline
    }
}

/// Why no success came back.
#[derive(Debug)]
pub enum CallFailure {
    /// The callee answered with an error.
    Remote(WireError),
    /// No answer of the callee.
    Transport(Error),
}

/// The future of a call: the callee's JSON.
pub type CallFuture = Pin<Box<dyn Future<Output = Result<Vec<u8>, CallFailure>> + Send>>;

/// The items of a streaming call, each the callee's JSON, in their order. A failure is the last one.
///
/// Nothing happens before it is polled, and the callee is cancelled when it is dropped before its end.
pub type ChunkStream = Pin<Box<dyn futures_core::Stream<Item = Result<Vec<u8>, CallFailure>> + Send>>;

/// The future of a job's submission.
pub type SubmitFuture = Pin<Box<dyn Future<Output = Result<Arc<dyn JobHandle>, CallFailure>> + Send>>;
/// The future of something that is asked of a job.
pub type HandleFuture<T> = Pin<Box<dyn Future<Output = Result<T, Error>> + Send>>;

/// A job that was submitted.
pub trait JobHandle: fmt::Debug + Send + Sync + 'static {
    /// Its id.
    fn id(&self) -> &JobId;
    /// The job as it is now.
    fn look(&self) -> HandleFuture<Job>;
    /// Waits for its end. Dropping the future leaves the job alone.
    fn end(&self) -> HandleFuture<Job>;
    /// Cancels it. Answers where it stands then.
    fn cancel(&self) -> HandleFuture<JobStatus>;
    /// Runs it again after a failure.
    fn retry(&self) -> HandleFuture<()>;
    /// The items that nobody has read yet, as they arrive.
    fn stream(&self) -> ChunkStream;
}

/// A way to the callee.
pub trait Transport: fmt::Debug + Send + Sync + 'static {
    /// Carries the call out. The answer of a streaming function is the JSON array of its items.
    fn call(&self, request: CallRequest) -> CallFuture;

    /// Carries out the call of a streaming function. The request's time is that of the whole stream.
    ///
    /// A transport that leaves this out waits for the whole answer, and gives its items then.
    fn stream(&self, request: CallRequest) -> ChunkStream {
        split(self.call(request))
    }

    /// Submits the call as a job that goes on by itself.
    ///
    /// A transport that leaves this out has no jobs.
    fn submit(&self, request: CallRequest) -> SubmitFuture {
        let text = format!("`{}` cannot be submitted as a job here", request.callee.name);
        Box::pin(async { Err(CallFailure::Transport(Error::new(code::INTERNAL, text).terminal())) })
    }
}

/// Calls functions of this process, encoded and decoded as if they were elsewhere.
#[derive(Debug, Clone, Copy)]
pub struct InProcess;

/// Largest answer of an in-process call, in bytes: RunPod's own limit for queue results (20 MB) and HTTP bodies
/// (30 MB), platform contract A.4 and C.
#[must_use]
pub const fn result_limit(door: DoorKind) -> usize {
    match door {
        DoorKind::Queue => 20_000_000,
        DoorKind::Http => 30_000_000,
    }
}

impl Transport for InProcess {
    fn call(&self, request: CallRequest) -> CallFuture {
        Box::pin(async move {
            let running = start(request).map_err(|failure| *failure)?;
            match running.run_whole().await {
                Ok(encoded) => Ok(encoded.json),
                Err(error) => Err(CallFailure::Remote(error)),
            }
        })
    }

    fn stream(&self, request: CallRequest) -> ChunkStream {
        Box::pin(LocalStream { state: LocalState::New(Box::new(request)), cancel: None })
    }

    fn submit(&self, request: CallRequest) -> SubmitFuture {
        Box::pin(async {
            Ok(LocalJob::start(request, |request| {
                if request.callee.is_stream() {
                    Work::Items(InProcess.stream(request))
                } else {
                    Work::Value(InProcess.call(request))
                }
            }))
        })
    }
}

fn start(mut request: CallRequest) -> Result<Running, Box<CallFailure>> {
    let (callee, why) = (request.callee, request.local_because);
    tracing::debug!(
        callee = callee.name,
        endpoint = callee.resource.name(),
        trace = request.trace.trace_id(),
        "remote call runs in this process: {why}"
    );
    let Some(function) = request.app.registry().get(request.callee.name) else {
        let name = request.callee.name;
        let text = format!("function `{name}` is not registered in this app");
        return Err(Box::new(CallFailure::Transport(Error::new(code::UNKNOWN_FUNCTION, text).terminal())));
    };
    let deadline = request.deadline();
    let origin = match request.callee.door() {
        DoorKind::Queue => Origin::Input,
        DoorKind::Http => Origin::Body,
    };
    let fields =
        Fields::from_json(origin, &request.input).map_err(|error| Box::new(CallFailure::Remote(error)))?;
    let mut scope = Scope::builder(request.app);
    let (id, cancellation) = match (request.job, request.caller.take()) {
        (Some(job), _) => {
            scope = scope.attempt(job.attempt).control(job.control);
            (job.id, job.cancellation)
        }
        (None, Some(caller)) => (caller.request_id().to_owned(), caller.cancellation().child_token()),
        (None, None) => (uuid::Uuid::now_v7().to_string(), CancellationToken::new()),
    };
    let scope = scope
        .request_id(id)
        .trace(Some(request.trace))
        .deadline(deadline)
        .cancellation(cancellation)
        .function(function.meta())
        .build();
    function
        .start(fields, scope, result_limit(request.callee.door()))
        .map_err(|error| Box::new(CallFailure::Remote(error)))
}

/// The items of a function of this process. Its own code only runs when an item is asked for, so back-pressure reaches it.
struct LocalStream {
    state: LocalState,
    /// Tells what the function left behind, such as a thread, that nobody reads any more.
    cancel: Option<DropGuard>,
}

enum LocalState {
    New(Box<CallRequest>),
    Opening(Pin<Box<dyn Future<Output = Result<Produced, WireError>> + Send>>),
    Open(Chunks),
    Ended,
}

impl LocalStream {
    fn poll_item(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Outcome, CallFailure>>> {
        loop {
            self.state = match &mut self.state {
                LocalState::New(_) => match std::mem::replace(&mut self.state, LocalState::Ended) {
                    LocalState::New(request) => {
                        let running = match start(*request) {
                            Ok(running) => running,
                            Err(failure) => return Poll::Ready(Some(Err(*failure))),
                        };
                        self.cancel = Some(running.scope().cancellation().clone().drop_guard());
                        LocalState::Opening(Box::pin(running.run()))
                    }
                    other => other,
                },
                LocalState::Opening(opening) => match ready!(opening.as_mut().poll(cx)) {
                    Ok(Produced::Stream(chunks)) => LocalState::Open(chunks),
                    Ok(Produced::Value(_)) => {
                        let error = Error::new(code::BAD_ANSWER, "the function does not stream").terminal();
                        return Poll::Ready(Some(Err(CallFailure::Transport(error))));
                    }
                    Err(error) => return Poll::Ready(Some(Ok(Err(error)))),
                },
                LocalState::Open(chunks) => return Pin::new(chunks).poll_next(cx).map(|item| item.map(Ok)),
                LocalState::Ended => return Poll::Ready(None),
            };
        }
    }
}

impl futures_core::Stream for LocalStream {
    type Item = Result<Vec<u8>, CallFailure>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let item = match ready!(self.poll_item(cx)) {
            Some(Ok(Ok(encoded))) => return Poll::Ready(Some(Ok(encoded.json))),
            Some(Ok(Err(error))) => Some(Err(CallFailure::Remote(error))),
            Some(Err(failure)) => Some(Err(failure)),
            None => {
                self.cancel.take().map(DropGuard::disarm);
                None
            }
        };
        self.state = LocalState::Ended;
        Poll::Ready(item)
    }
}
