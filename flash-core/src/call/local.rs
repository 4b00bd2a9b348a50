use std::any::Any;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde_json::value::RawValue;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::error::{Error, WireError, code, to_error_string};
use crate::ids::JobId;
use crate::scope::JobControl;
use crate::stream::unfold;
use crate::transport::{
    CallFailure, CallFuture, CallRequest, ChunkStream, HandleFuture, JobHandle, result_limit,
};
use crate::wire::{Job, JobStatus};

/// What one run of a job does.
pub(crate) enum Work {
    /// It gives one value.
    Value(CallFuture),
    /// It gives items.
    Items(ChunkStream),
}

/// Begins a run of a job's call.
type Begin = Arc<dyn Fn(CallRequest) -> Work + Send + Sync>;

/// What a run in this process knows of its job.
#[derive(Debug, Clone)]
pub(crate) struct LocalRun {
    pub(crate) id: String,
    pub(crate) attempt: u32,
    pub(crate) cancellation: CancellationToken,
    pub(crate) control: Arc<dyn JobControl>,
}

/// A job that runs in this process, as a queue would run it. Its result is kept as long as a handle is.
#[derive(Clone)]
pub(crate) struct LocalJob {
    inner: Arc<Inner>,
}

struct Inner {
    id: JobId,
    request: CallRequest,
    begin: Begin,
    state: Mutex<State>,
    changed: watch::Sender<()>,
}

struct State {
    status: JobStatus,
    output: Option<Box<RawValue>>,
    error: Option<String>,
    /// Items of a stream, and how many were handed out.
    items: Vec<Vec<u8>>,
    read: usize,
    attempt: u32,
    cancellation: CancellationToken,
}

impl LocalJob {
    /// Starts a job.
    pub(crate) fn start(
        request: CallRequest,
        begin: impl Fn(CallRequest) -> Work + Send + Sync + 'static,
    ) -> Arc<dyn JobHandle> {
        let state = State {
            status: JobStatus::InQueue,
            output: None,
            error: None,
            items: Vec::new(),
            read: 0,
            attempt: 0,
            cancellation: CancellationToken::new(),
        };
        let (changed, _) = watch::channel(());
        let (id, begin) = (JobId::random(), Arc::new(begin));
        let job = Self { inner: Arc::new(Inner { id, request, begin, state: Mutex::new(state), changed }) };
        job.run();
        Arc::new(job)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.inner.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn change<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        let changed = change(&mut self.lock());
        self.inner.changed.send_replace(());
        changed
    }

    /// Runs it in a task of its own.
    fn run(&self) {
        let (attempt, cancellation) = self.change(|state| {
            state.attempt += 1;
            state.cancellation = CancellationToken::new();
            (state.attempt, state.cancellation.clone())
        });
        let job = self.clone();
        tokio::spawn(async move {
            job.change(|state| {
                if state.status == JobStatus::InQueue {
                    state.status = JobStatus::InProgress;
                }
            });
            let work = job.work(attempt, cancellation.clone());
            let Some(outcome) = cancellation.run_until_cancelled(work).await else { return };
            job.change(|state| state.end(outcome));
        });
    }

    async fn work(&self, attempt: u32, cancellation: CancellationToken) -> Result<Box<RawValue>, String> {
        let mut request = self.inner.request.clone();
        let clock = request.app.clock().clone();
        if let Some(millis) = request.options.policy.execution_timeout {
            let end = clock.now() + Duration::from_millis(millis);
            request.deadline = Some(request.deadline.map_or(end, |deadline| deadline.min(end)));
        }
        let limit = result_limit(request.callee.door());
        let control = Arc::new(Progress(self.clone()));
        let id = self.inner.id.to_string();
        request.job = Some(LocalRun { id, attempt, cancellation, control });
        let json = match (self.inner.begin)(request) {
            Work::Value(value) => value.await.map_err(|failure| self.text(failure))?,
            Work::Items(items) => self.gather(items, limit).await?,
        };
        let text = String::from_utf8(json).map_err(|error| error.to_string())?;
        RawValue::from_string(text).map_err(|error| error.to_string())
    }

    /// Hands items out as they come, and gives all of them as the result.
    async fn gather(&self, mut items: ChunkStream, limit: usize) -> Result<Vec<u8>, String> {
        let mut bytes = 2;
        while let Some(item) = std::future::poll_fn(|cx| items.as_mut().poll_next(cx)).await {
            let item = item.map_err(|failure| self.text(failure))?;
            bytes += item.len() + 1;
            if bytes > limit {
                let text = format!("the items of the stream are together over the limit of {limit} bytes");
                return Err(self.text(CallFailure::Remote(WireError::new(code::RESULT_TOO_LARGE, text))));
            }
            self.change(|state| state.items.push(item));
        }
        let state = self.lock();
        let mut json = b"[".to_vec();
        json.extend(state.items.join(&b','));
        json.push(b']');
        Ok(json)
    }

    fn text(&self, failure: CallFailure) -> String {
        let mut wire = match failure {
            CallFailure::Remote(wire) => wire,
            CallFailure::Transport(error) => error.into_wire(),
        };
        wire.request_id.get_or_insert_with(|| self.inner.id.to_string());
        let worker = self.inner.request.app.worker_id();
        to_error_string(&wire, "localhost", worker)
    }

    fn view(&self) -> Job {
        let state = self.lock();
        let mut job = Job::new(self.inner.id.clone(), state.status);
        job.output = state.output.clone();
        job.error = state.error.clone();
        job
    }

    /// Waits until something is there.
    async fn until<T>(&self, mut there: impl FnMut(&mut State) -> Option<T>) -> T {
        let mut changes = self.inner.changed.subscribe();
        loop {
            if let Some(found) = there(&mut self.lock()) {
                return found;
            }
            // The sender lives as long as this handle.
            let _ = changes.changed().await;
        }
    }
}

impl State {
    fn end(&mut self, outcome: Result<Box<RawValue>, String>) {
        if self.status.is_terminal() {
            return;
        }
        match outcome {
            Ok(output) => (self.status, self.output) = (JobStatus::Completed, Some(output)),
            Err(error) => {
                // What remains is the latest progress, which is no result.
                self.output = None;
                (self.status, self.error) = (JobStatus::Failed, Some(error));
            }
        }
    }
}

impl JobHandle for LocalJob {
    fn id(&self) -> &JobId {
        &self.inner.id
    }

    fn look(&self) -> HandleFuture<Job> {
        let job = self.view();
        Box::pin(async { Ok(job) })
    }

    fn end(&self) -> HandleFuture<Job> {
        let job = self.clone();
        Box::pin(async move {
            job.until(|state| state.status.is_terminal().then_some(())).await;
            Ok(job.view())
        })
    }

    fn cancel(&self) -> HandleFuture<JobStatus> {
        let status = self.change(|state| {
            if !state.status.is_terminal() {
                state.status = JobStatus::Cancelled;
                state.output = None;
                state.cancellation.cancel();
            }
            state.status
        });
        Box::pin(async move { Ok(status) })
    }

    fn retry(&self) -> HandleFuture<()> {
        let again = self.change(|state| {
            if !matches!(state.status, JobStatus::Failed | JobStatus::TimedOut) {
                return Err(state.status);
            }
            state.status = JobStatus::InQueue;
            (state.output, state.error, state.read) = (None, None, 0);
            state.items.clear();
            Ok(())
        });
        if again.is_ok() {
            self.run();
        }
        Box::pin(async move {
            again.map_err(|status| {
                let text = format!("job is {status}; only a job that is FAILED or TIMED_OUT can be retried");
                Error::new(code::INVALID_REQUEST, text).terminal()
            })
        })
    }

    fn stream(&self) -> ChunkStream {
        Box::pin(unfold(Some(self.clone()), async |job| {
            let job = job?;
            let item = job
                .until(|state| match state.items.get(state.read) {
                    Some(item) => {
                        state.read += 1;
                        Some(Some(item.clone()))
                    }
                    None => state.status.is_terminal().then_some(None),
                })
                .await;
            match item {
                Some(item) => Some((Ok(item), Some(job))),
                None if job.view().status == JobStatus::Completed => None,
                None => Some((Err(CallFailure::Remote(crate::error::failure_of(job.view()))), None)),
            }
        }))
    }
}

impl fmt::Debug for LocalJob {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LocalJob").field("id", &self.inner.id).finish_non_exhaustive()
    }
}

/// Shows progress in the job's status.
#[derive(Debug)]
struct Progress(LocalJob);

impl JobControl for Progress {
    fn progress(&self, json: Vec<u8>) {
        let Ok(text) = String::from_utf8(json) else { return };
        let Ok(progress) = RawValue::from_string(text) else { return };
        self.0.change(|state| {
            if state.status == JobStatus::InProgress {
                state.output = Some(progress);
            }
        });
    }

    fn refresh_worker(&self) {}

    fn hold(&self) -> Box<dyn Any + Send> {
        Box::new(())
    }
}
