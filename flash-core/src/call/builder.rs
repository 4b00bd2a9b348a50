use std::fmt;
use std::future::{Future, IntoFuture};
use std::marker::PhantomData;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use super::job::{Items, Job, JobKind};
use super::options::{CallOptions, Priority};
use super::repeat::repeated;
use super::waiting::{OnWait, Waiting};
use crate::app::App;
use crate::encode::FieldWriter;
use crate::error::{CallError, Error, code};
use crate::meta::DoorKind;
use crate::remote::{IsResult, Queue, Remote};
use crate::scope::Scope;
use crate::stream::Stream;
use crate::trace::TraceContext;
use crate::transport::{CallFailure, CallRequest};

/// What a call of `R` succeeds with.
pub type OutputOf<R> = <<R as Remote>::Return as IsResult>::Ok;
/// What a call of `R` fails with.
pub type ErrorOf<R> = CallError<<<R as Remote>::Return as IsResult>::Err>;

/// How the arguments go out, which decides how large they may be (platform contract A.4 and C).
#[derive(Clone, Copy, PartialEq, Eq)]
enum Way {
    /// `/runsync` on a queue, the route on HTTP.
    Wait,
    /// `/run`: the job goes on by itself.
    Submit,
}

/// Largest arguments in bytes: `/run` takes 10 MB, `/runsync` 20 MB, an HTTP endpoint 30 MB.
const fn argument_limit(door: DoorKind, way: Way) -> usize {
    // The wrapper `{"input": …}` and what Flash adds to it count too.
    const AROUND: usize = 1_000;
    match (door, way) {
        (DoorKind::Queue, Way::Submit) => 10_000_000 - AROUND,
        (DoorKind::Queue, Way::Wait) => 20_000_000 - AROUND,
        (DoorKind::Http, _) => 30_000_000,
    }
}

/// A call of a remote function. Nothing happens until it is awaited.
///
/// Where it goes is decided then: to this process when it owns the function's endpoint or nothing is deployed, else to
/// the deployed endpoint.
///
/// Dropping the future of a call stops waiting. A job whose id is known by then is cancelled; one that was just submitted
/// through `/runsync` has no known id yet, and ends at the latest with its own times, unless
/// [`cancel_on_drop`](Self::cancel_on_drop) is set.
#[must_use = "a call does nothing until it is awaited"]
pub struct Call<R: Remote> {
    args: R::Args,
    timeout: Option<Duration>,
    options: CallOptions,
}

impl<R: Remote> Call<R> {
    #[doc(hidden)]
    pub fn new(args: R::Args) -> Self {
        Self { args, timeout: None, options: CallOptions::default() }
    }

    /// Bounds the whole call, its retries included, and of a streaming function up to its last item. Without it the
    /// endpoint's own times apply, and the caller's deadline. The callee learns of the deadline, and of the earlier one of
    /// its caller.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = Some(timeout);
        self
    }

    /// Repeats the call up to this many times when it fails in a way that may pass: the endpoint could not be reached or
    /// had too much to do, or the function's own error is marked as retryable. Pauses of 0.1 s to 5 s lie between the tries.
    ///
    /// A request that may have arrived although no answer came is not sent again to a queue, where it could become a second
    /// job: see [`allow_duplicates`](Call::allow_duplicates). A route of an HTTP endpoint is asked again when its verb is
    /// GET, PUT or DELETE, or when there is an [`idempotency_key`](Self::idempotency_key).
    pub fn retries(mut self, retries: u32) -> Self {
        self.options.retries = retries;
        self
    }

    /// Marks requests that mean the same call: at most one of them is carried out.
    ///
    /// The local platform honours it for jobs. A route gets it as the header `Idempotency-Key`, and has to honour it
    /// itself. RunPod's queue knows no such key; a worker finds it in its job.
    pub fn idempotency_key(mut self, key: impl Into<String>) -> Self {
        self.options.idempotency_key = Some(key.into());
        self
    }

    fn request(self, way: Way) -> Result<CallRequest, Error> {
        let app =
            App::current().map_err(|errors| Error::new(code::INTERNAL, errors.to_string()).terminal())?;
        let mut fields = FieldWriter::new(argument_limit(R::META.door(), way));
        R::encode(&self.args, &mut fields);
        let input = fields.finish()?;
        let caller = Scope::current();
        let own = self.timeout.map(|timeout| app.clock().now() + timeout);
        let inherited = caller.as_ref().and_then(Scope::deadline);
        let deadline = match (own, inherited) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        };
        let trace = caller.as_ref().and_then(Scope::trace);
        let trace = trace.map_or_else(TraceContext::root, |trace| trace.child());
        Ok(CallRequest {
            caller,
            callee: R::META,
            input,
            timeout: self.timeout,
            deadline,
            trace,
            local_because: "no deployment is configured",
            options: self.options,
            app,
            job: None,
        })
    }
}

/// What only a queue can do.
impl<R: Remote<Door = Queue>> Call<R> {
    /// Says how urgent the job is.
    pub fn priority(mut self, priority: Priority) -> Self {
        self.options.policy.low_priority = (priority == Priority::Low).then_some(true);
        self
    }

    /// Removes the job after this time, from its submission on and whatever its state: 10 s to 7 days, by default 24 h.
    pub fn ttl(mut self, ttl: Duration) -> Self {
        self.options.policy.ttl = Some(millis(ttl));
        self
    }

    /// Bounds the time that the job may run on a worker: 5 s to 7 days. By default it is what the endpoint declares.
    pub fn execution_timeout(mut self, timeout: Duration) -> Self {
        self.options.policy.execution_timeout = Some(millis(timeout));
        self
    }

    /// Has the platform post the job to this URL when it has ended. Jobs in this process tell nobody.
    pub fn webhook(mut self, url: impl Into<String>) -> Self {
        self.options.webhook = Some(url.into());
        self
    }

    /// Cancels the job as soon as nobody waits for the call any more: it is submitted through `/run`, which answers with
    /// its id at once, and then polled. That costs a request more, and the arguments may have 10 MB instead of 20.
    pub fn cancel_on_drop(mut self) -> Self {
        self.options.cancel_on_drop = true;
        self
    }

    /// Submits again when no answer to a submission came, although the first one may have become a job. Needs
    /// [`retries`](Self::retries).
    pub fn allow_duplicates(mut self) -> Self {
        self.options.allow_duplicates = true;
        self
    }

    /// Tells why the call waits, within 10 s and whenever the reason changes: no worker runs, workers are being started,
    /// come up broken, or are busy. An error about a call that took too long says so as well.
    pub fn on_wait(mut self, tell: impl Fn(&Waiting) + Send + Sync + 'static) -> Self {
        self.options.on_wait = Some(OnWait::new(tell));
        self
    }

    /// Submits the call as a job that goes on by itself, and does not wait for its end.
    ///
    /// The job outlives its caller, so the caller's deadline does not apply to it; its own [`timeout`](Self::timeout) does.
    /// Its arguments may have 10 MB.
    ///
    /// # Errors
    /// The job was not accepted.
    pub async fn spawn(self) -> Result<Job<R>, ErrorOf<R>>
    where
        R::Return: IsResult,
    {
        let own = self.timeout;
        let mut request = self.request(Way::Submit).map_err(CallError::Transport)?;
        request.deadline = own.map(|timeout| request.app.clock().now() + timeout);
        let transport = Arc::clone(request.app.transport());
        let handle = repeated(request, |request| transport.submit(request)).await;
        handle.map(Job::from_handle).map_err(failed::<R>)
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

fn failed<R: Remote<Return: IsResult>>(failure: CallFailure) -> ErrorOf<R> {
    match failure {
        CallFailure::Transport(error) => CallError::Transport(error),
        CallFailure::Remote(wire) => R::error(wire),
    }
}

impl<R, T, E> Call<R>
where
    R: Remote<Return = Result<Stream<T, E>, E>>,
    T: Send + 'static,
    E: Send + 'static,
{
    /// The items of a streaming function, as they arrive. The call begins when the first one is asked for, and is
    /// cancelled when the stream is dropped before its end. A failure is the last item: the function's own error, whether
    /// it failed at once or in the middle, or a failure of the transport.
    ///
    /// Awaiting the call instead waits for the whole stream, and gives it with all its items, or the error in it.
    pub fn stream(self) -> Stream<T, CallError<E>> {
        // A queue streams jobs that were submitted through `/run`.
        match self.request(Way::Submit) {
            Ok(request) => {
                let chunks = request.app.transport().clone().stream(request);
                Stream::new(Items::<R> { chunks: Some(chunks), kind: PhantomData })
            }
            Err(error) => Stream::iter([Err(CallError::Transport(error))]),
        }
    }
}

impl<R: Remote<Return: IsResult>> Call<R> {
    /// Waits for the answer in a blocking function or a plain `main`.
    ///
    /// # Errors
    /// As awaiting it.
    ///
    /// # Panics
    /// Inside of an `async` function, where waiting would block every other task: `.await` it there.
    pub fn wait(self) -> Result<OutputOf<R>, ErrorOf<R>> {
        let future = self.into_future();
        if let Ok(handle) = tokio::runtime::Handle::try_current() {
            return handle.block_on(future);
        }
        match tokio::runtime::Builder::new_current_thread().enable_all().build() {
            Ok(runtime) => runtime.block_on(future),
            Err(error) => Err(CallError::Transport(Error::internal(error))),
        }
    }

    async fn send(self) -> Result<OutputOf<R>, ErrorOf<R>> {
        let way = if self.options.cancel_on_drop { Way::Submit } else { Way::Wait };
        let request = self.request(way).map_err(CallError::Transport)?;
        let cancelled = request.caller.as_ref().map(|caller| caller.cancellation().clone());
        let transport = Arc::clone(request.app.transport());
        let answer = repeated(request, |request| transport.call(request));
        let answer = match cancelled {
            None => answer.await,
            // An async caller is dropped when its job is stopped; one that blocks a thread can only be told.
            Some(token) => token.run_until_cancelled(answer).await.unwrap_or_else(|| {
                let text = "the caller's own job was cancelled";
                Err(CallFailure::Transport(Error::new(code::CANCELLED, text)))
            }),
        };
        R::output(&answer.map_err(failed::<R>)?)
    }
}

impl<R: Remote<Return: IsResult>> IntoFuture for Call<R> {
    type Output = Result<OutputOf<R>, ErrorOf<R>>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.send())
    }
}

impl<R: Remote> fmt::Debug for Call<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Call")
            .field("callee", &R::META.name)
            .field("timeout", &self.timeout)
            .field("options", &self.options)
            .finish_non_exhaustive()
    }
}
