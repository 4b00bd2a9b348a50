use std::any::{Any, TypeId, type_name};
use std::collections::HashMap;
use std::fmt;
use std::future::Future;
use std::ops::Deref;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use serde::Serialize;
use tokio::sync::OnceCell;
use tokio_util::sync::CancellationToken;

use crate::app::App;
use crate::clock::Timestamp;
use crate::error::{Error, code};
use crate::scope::Scope;
use crate::secret::Secret;
use crate::trace::TraceContext;

/// A parameter that does not travel: the worker supplies it.
pub trait Inject: Sized + Send + 'static {
    /// What must be ready before the first job, if anything.
    fn need() -> Option<Need>;
    /// The value for one invocation.
    fn inject(scope: &Scope) -> impl Future<Output = Result<Self, Error>> + Send;
}

/// Something that a worker builds once: named in the error when it cannot be built.
#[derive(Clone, Copy)]
pub struct Need {
    type_name: fn() -> &'static str,
    build: fn(App) -> BoxFuture<Result<(), Error>>,
}

type BoxFuture<T> = Pin<Box<dyn Future<Output = T> + Send>>;
/// Something on its way to be ready.
pub(crate) type Building = BoxFuture<Result<(), Error>>;

impl Need {
    pub(crate) const fn new(type_name: fn() -> &'static str, build: fn(App) -> Building) -> Self {
        Self { type_name, build }
    }

    /// The type that is needed.
    #[must_use]
    pub fn type_name(&self) -> &'static str {
        (self.type_name)()
    }

    /// Builds it, unless it is there already.
    ///
    /// # Errors
    /// `state_failed` with the type's own error.
    pub async fn build(&self, app: &App) -> Result<(), Error> {
        (self.build)(app.clone()).await
    }
}

impl fmt::Debug for Need {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Need").field(&self.type_name()).finish()
    }
}

/// Something that is built once per worker, before its first job.
pub trait FromWorker: Sized + Send + Sync + 'static {
    /// Why it could not be built. Shown in the log and in the start-up error.
    type Error: fmt::Display;
    /// Builds it.
    ///
    /// # Errors
    /// The worker does not start, and says why.
    fn from_worker(worker: &Worker) -> impl Future<Output = Result<Self, Self::Error>> + Send;
}

/// What [`FromWorker`] may know of the worker.
#[derive(Debug, Clone)]
pub struct Worker {
    resource: Option<String>,
    id: String,
}

impl Worker {
    /// A worker for tests.
    #[must_use]
    pub fn test() -> Self {
        Self { resource: None, id: "test".to_owned() }
    }

    /// The endpoint that this worker serves; `None` in a process that serves all of them.
    #[must_use]
    pub fn resource(&self) -> Option<&str> {
        self.resource.as_deref()
    }

    /// The worker's id.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }
}

/// State that all jobs of a worker share, built once by [`FromWorker`].
pub struct State<T>(Arc<T>);

impl<T> State<T> {
    /// Wraps a value, as a test does to call a function directly.
    pub fn new(value: T) -> Self {
        Self(Arc::new(value))
    }
}

impl<T> Clone for State<T> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<T> Deref for State<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

impl<T: fmt::Debug> fmt::Debug for State<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("State").field(&self.0).finish()
    }
}

impl<T: FromWorker> Inject for State<T> {
    fn need() -> Option<Need> {
        Some(Need {
            type_name: type_name::<T>,
            build: |app| Box::pin(async move { build::<T>(&app).await.map(drop) }),
        })
    }

    async fn inject(scope: &Scope) -> Result<Self, Error> {
        build::<T>(scope.app()).await.map(Self)
    }
}

async fn build<T: FromWorker>(app: &App) -> Result<Arc<T>, Error> {
    let cell = app.states().cell(TypeId::of::<T>());
    let value = cell
        .get_or_try_init(|| async {
            let worker =
                Worker { resource: app.resource().map(ToOwned::to_owned), id: app.worker_id().to_owned() };
            match T::from_worker(&worker).await {
                Ok(value) => Ok(Arc::new(value) as Arc<dyn Any + Send + Sync>),
                Err(error) => Err(Error::new(code::STATE_FAILED, "state of the worker could not be built")
                    .with_source(format!("`{}`: {error}", type_name::<T>()))),
            }
        })
        .await?;
    // The cell of a type id only ever holds that type.
    Arc::clone(value).downcast().map_err(|_| Error::new(code::INTERNAL, "state has another type"))
}

/// The states of one process, each built once however many jobs ask for it at the same time.
#[derive(Debug, Default)]
pub(crate) struct States {
    cells: Mutex<HashMap<TypeId, Cell>>,
}

type Cell = Arc<OnceCell<Arc<dyn Any + Send + Sync>>>;

impl States {
    fn cell(&self, id: TypeId) -> Cell {
        let mut cells = self.cells.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(cells.entry(id).or_default())
    }
}

/// What a function may know of the invocation it runs in.
#[derive(Debug, Clone)]
pub struct Context {
    scope: Scope,
}

impl Context {
    /// A context for calling a function directly in a test.
    #[must_use]
    pub fn test() -> Self {
        Self { scope: Scope::builder(App::detached()).request_id("test").build() }
    }

    /// The job's id on a queue, the request's id on HTTP.
    #[must_use]
    pub fn id(&self) -> &str {
        self.scope.request_id()
    }

    /// Which try this is, from 1.
    #[must_use]
    pub fn attempt(&self) -> u32 {
        self.scope.attempt()
    }

    /// When the answer is no longer wanted.
    #[must_use]
    pub fn deadline(&self) -> Option<Timestamp> {
        self.scope.deadline()
    }

    /// The trace that the invocation belongs to, where its caller said so (W3C Trace Context).
    #[must_use]
    pub fn trace(&self) -> Option<TraceContext> {
        self.scope.trace()
    }

    /// How much time is left; `None` without a deadline.
    #[must_use]
    pub fn time_left(&self) -> Option<Duration> {
        let now = self.scope.app().clock().now();
        self.scope.deadline().map(|deadline| deadline.since(now))
    }

    /// Whether the job was cancelled. A blocking function asks between its steps.
    #[must_use]
    pub fn is_cancelled(&self) -> bool {
        self.scope.cancellation().is_cancelled()
    }

    /// The first header of this name, in any case, of the request that is answered; `None` on a queue, and where the value is
    /// not visible ASCII.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.scope.head()?.header(name)
    }

    /// The headers of the request that is answered, with names in lower case. On a queue there are none.
    pub fn headers(&self) -> impl Iterator<Item = (&str, &str)> {
        self.scope.head().into_iter().flat_map(|head| head.headers())
    }

    /// Who calls: the bearer token of the request that is answered. It shows itself in no log.
    ///
    /// The platform's gateway keeps its own key to itself, so behind it this is a token only where the endpoint is public.
    #[must_use]
    pub fn bearer_token(&self) -> Option<Secret> {
        let (scheme, token) = self.header("authorization")?.trim().split_once(' ')?;
        if scheme.eq_ignore_ascii_case("bearer") { Secret::new(token.trim()) } else { None }
    }

    /// Shows a caller who asks for the job's status how far it is. On HTTP, and in a direct call, nobody asks.
    ///
    /// # Errors
    /// A value that JSON cannot hold.
    pub fn progress(&self, progress: &impl Serialize) -> Result<(), Error> {
        let json = serde_json::to_vec(progress).map_err(Error::internal)?;
        if let Some(control) = self.scope.control() {
            control.progress(json);
        }
        Ok(())
    }

    /// Asks for a fresh worker after this job: it takes no more jobs, and the platform resets it.
    pub fn refresh_worker(&self) {
        if let Some(control) = self.scope.control() {
            control.refresh_worker();
        }
    }

    /// The token that cancellation sets.
    #[must_use]
    pub fn cancellation(&self) -> &CancellationToken {
        self.scope.cancellation()
    }
}

impl Inject for Context {
    fn need() -> Option<Need> {
        None
    }

    async fn inject(scope: &Scope) -> Result<Self, Error> {
        Ok(Self { scope: scope.clone() })
    }
}
