use std::any::Any;
use std::fmt;
use std::future::Future;
use std::sync::{Arc, OnceLock};

use tokio_util::sync::CancellationToken;

use crate::app::App;
use crate::clock::Timestamp;
use crate::meta::Meta;
use crate::trace::TraceContext;

tokio::task_local! {
    static CURRENT: Scope;
}

/// What surrounds one invocation: the app it belongs to, its id, its deadline and its cancellation.
///
/// A task-local, so `f::remote()` needs no context argument; blocking functions have it too. A clone is one reference
/// count.
#[derive(Debug, Clone)]
pub struct Scope {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    app: App,
    request_id: Arc<str>,
    attempt: u32,
    deadline: Option<Timestamp>,
    /// Made when somebody asks for it: most invocations end without.
    cancellation: OnceLock<CancellationToken>,
    function: Option<&'static Meta>,
    control: Option<Arc<dyn JobControl>>,
    head: Option<Box<dyn RequestHead>>,
    trace: Option<TraceContext>,
}

/// The head of the HTTP request that an invocation answers. Its values may be secret, so its `Debug` shows none.
pub trait RequestHead: fmt::Debug + Send + Sync {
    /// The first header of this name, in any case; `None` when it is absent or not visible ASCII.
    fn header(&self, name: &str) -> Option<&str>;
    /// Every header whose value is visible ASCII, with its name in lower case.
    fn headers(&self) -> Box<dyn Iterator<Item = (&str, &str)> + '_>;
}

/// What a function may ask of the worker that runs its job.
pub trait JobControl: fmt::Debug + Send + Sync {
    /// Shows a caller who asks for the job's status how far it is, as JSON text. A newer one replaces an older one that
    /// has not been sent yet.
    fn progress(&self, json: Vec<u8>);
    /// Asks for a fresh worker after this job.
    fn refresh_worker(&self);
    /// Keeps the job's slot occupied until the value is dropped, whatever becomes of the job.
    fn hold(&self) -> Box<dyn Any + Send>;
}

impl Scope {
    /// Starts a scope inside of `app`.
    #[must_use]
    #[inline]
    pub fn builder(app: App) -> ScopeBuilder {
        ScopeBuilder {
            inner: Inner {
                app,
                request_id: Arc::default(),
                attempt: 1,
                deadline: None,
                cancellation: OnceLock::new(),
                function: None,
                control: None,
                head: None,
                trace: None,
            },
        }
    }

    /// The scope of the invocation that runs now, in this task or this blocking thread.
    #[must_use]
    pub fn current() -> Option<Self> {
        CURRENT.try_with(Clone::clone).ok()
    }

    /// Runs `future` inside of this scope.
    pub fn enter<F: Future>(self, future: F) -> impl Future<Output = F::Output> {
        CURRENT.scope(self, future)
    }

    /// Runs a blocking closure inside of this scope.
    pub fn enter_blocking<T>(self, f: impl FnOnce() -> T) -> T {
        CURRENT.sync_scope(self, f)
    }

    /// The app.
    #[must_use]
    pub fn app(&self) -> &App {
        &self.inner.app
    }

    /// The job's or the request's id.
    #[must_use]
    pub fn request_id(&self) -> &str {
        &self.inner.request_id
    }

    /// Which try this is, from 1.
    #[must_use]
    pub fn attempt(&self) -> u32 {
        self.inner.attempt
    }

    /// When the answer is no longer wanted.
    #[must_use]
    pub fn deadline(&self) -> Option<Timestamp> {
        self.inner.deadline
    }

    /// Set when the job is cancelled.
    #[must_use]
    pub fn cancellation(&self) -> &CancellationToken {
        self.inner.cancellation.get_or_init(CancellationToken::new)
    }

    /// The worker's ear for this job, on a queue.
    pub(crate) fn control(&self) -> Option<&Arc<dyn JobControl>> {
        self.inner.control.as_ref()
    }

    /// The trace that the invocation belongs to, if its caller said so.
    #[must_use]
    pub fn trace(&self) -> Option<TraceContext> {
        self.inner.trace
    }

    /// The head of the HTTP request; `None` on a queue and in this process's own calls.
    #[must_use]
    pub fn head(&self) -> Option<&dyn RequestHead> {
        self.inner.head.as_deref()
    }

    /// The function that runs.
    #[must_use]
    pub fn function(&self) -> Option<&'static Meta> {
        self.inner.function
    }
}

/// Builds a [`Scope`].
#[derive(Debug)]
pub struct ScopeBuilder {
    inner: Inner,
}

impl ScopeBuilder {
    /// The job's or the request's id.
    #[must_use]
    #[inline]
    pub fn request_id(mut self, id: impl Into<Arc<str>>) -> Self {
        self.inner.request_id = id.into();
        self
    }

    /// Which try this is, from 1.
    #[must_use]
    #[inline]
    pub fn attempt(mut self, attempt: u32) -> Self {
        self.inner.attempt = attempt;
        self
    }

    /// When the answer is no longer wanted; the earliest of all that are set counts.
    #[must_use]
    #[inline]
    pub fn deadline(mut self, deadline: Option<Timestamp>) -> Self {
        self.inner.deadline = match (self.inner.deadline, deadline) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        };
        self
    }

    /// The token that cancels the invocation.
    #[must_use]
    #[inline]
    pub fn cancellation(mut self, token: CancellationToken) -> Self {
        self.inner.cancellation = OnceLock::from(token);
        self
    }

    /// The function that will run.
    #[must_use]
    #[inline]
    pub fn function(mut self, function: &'static Meta) -> Self {
        self.inner.function = Some(function);
        self
    }

    /// The trace that the invocation belongs to.
    #[must_use]
    #[inline]
    pub fn trace(mut self, trace: Option<TraceContext>) -> Self {
        self.inner.trace = trace;
        self
    }

    /// The head of the HTTP request.
    #[must_use]
    #[inline]
    pub fn head(mut self, head: Box<dyn RequestHead>) -> Self {
        self.inner.head = Some(head);
        self
    }

    /// The worker's ear for this job.
    #[must_use]
    #[inline]
    pub fn control(mut self, control: Arc<dyn JobControl>) -> Self {
        self.inner.control = Some(control);
        self
    }

    /// The scope.
    #[must_use]
    #[inline]
    pub fn build(self) -> Scope {
        Scope { inner: Arc::new(self.inner) }
    }
}

/// Spawns a task that stays inside of the current scope, so that its remote calls keep deadline and cancellation.
///
/// # Panics
/// Outside of a tokio runtime.
pub fn spawn<F>(future: F) -> tokio::task::JoinHandle<F::Output>
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    match Scope::current() {
        Some(scope) => tokio::spawn(scope.enter(future)),
        None => tokio::spawn(future),
    }
}

/// Runs a closure on the pool for blocking work, inside of the current scope, so that its remote calls keep deadline and
/// cancellation. A thread cannot be stopped from outside: the job's slot stays occupied until the closure has really
/// ended.
///
/// # Panics
/// Outside of a tokio runtime.
pub fn spawn_blocking<T: Send + 'static>(
    f: impl FnOnce() -> T + Send + 'static,
) -> tokio::task::JoinHandle<T> {
    let scope = Scope::current();
    let hold = scope.as_ref().and_then(Scope::control).map(|control| control.hold());
    tokio::task::spawn_blocking(move || {
        let _hold = hold;
        match scope {
            Some(scope) => scope.enter_blocking(f),
            None => f(),
        }
    })
}
