use std::sync::Arc;
use std::time::Duration;

use flash_core::ids::JobId;
use flash_core::{Outcome, WireError, code, to_error_string};
use reqwest::StatusCode;
use tokio::runtime::Handle;
use tokio::sync::{Semaphore, mpsc};
use tokio_util::task::TaskTracker;

use super::backoff::Backoff;
use super::held::HeldJob;
use super::link::Link;
use super::slots::Slot;
use crate::identity::Identity;

/// How long a result is offered to a queue that does not answer. A job that runs longer than the platform's own limit
/// is given up by the platform anyway (platform contract A.3: 10 minutes by default).
const PATIENCE: Duration = Duration::from_secs(600);
/// How long one post may take.
const POST_TIMEOUT: Duration = Duration::from_secs(60);

/// Where finished jobs go. Cheap to clone; every runner has one.
#[derive(Debug, Clone)]
pub(crate) struct Outbox {
    finished: mpsc::UnboundedSender<Finished>,
    posts: TaskTracker,
    runtime: Handle,
    poster: Arc<Poster>,
}

/// A job whose function has ended. It keeps its slot until its result is on its way, so the channel holds no more of
/// them than there are slots.
#[derive(Debug)]
pub(crate) struct Finished {
    job: HeldJob,
    body: Vec<u8>,
    is_result: bool,
    slot: Arc<Slot>,
}

impl Outbox {
    /// An outbox that posts on `runtime`: the intake's, which no user function can starve. At most `room` results are
    /// on their way at the same time; without a bound, a worker with fast functions would take jobs faster than it can
    /// bring results home, and hold more of them than it has slots for.
    pub(crate) fn start(poster: Poster, runtime: &Handle, room: u32) -> Self {
        let (finished, mut arriving) = mpsc::unbounded_channel::<Finished>();
        let posts = TaskTracker::new();
        let poster = Arc::new(poster);
        let outbox =
            Self { finished, posts: posts.clone(), runtime: runtime.clone(), poster: Arc::clone(&poster) };
        let room = Arc::new(Semaphore::new(room as usize));
        // One task takes over all results: a sender that spawned its own would wake this thread once for every job.
        let dispatch = async move {
            while let Some(finished) = arriving.recv().await {
                let room = Arc::clone(&room).acquire_owned().await;
                let Finished { job, body, is_result, slot } = finished;
                let poster = Arc::clone(&poster);
                posts.spawn(async move {
                    poster.deliver(&job, body, is_result).await;
                    drop(room);
                });
                // Only now: a worker that stops waits for free slots first, and then for posts.
                drop(slot);
            }
        };
        runtime.spawn(dispatch);
        outbox
    }

    /// The result of a job, ready to be posted. `refresh`: the platform resets this worker afterwards.
    pub(crate) fn finished(
        &self,
        job: HeldJob,
        outcome: &Outcome,
        slot: Arc<Slot>,
        refresh: bool,
    ) -> Finished {
        let body = self.poster.body(outcome, refresh);
        Finished { job, body, is_result: outcome.is_ok(), slot }
    }

    /// Takes over the result of a job, and its slot.
    pub(crate) fn put(&self, finished: Finished) {
        if let Err(lost) = self.finished.send(finished) {
            // Only when the intake's runtime is gone, and then the worker is past its grace time.
            let request_id = lost.0.job.id().as_str();
            tracing::error!(request_id, "the worker ended before the result was delivered");
        }
    }

    /// Runs a job's lane on the outbox's runtime.
    pub(crate) fn spawn(&self, lane: impl Future<Output = ()> + Send + 'static) {
        self.posts.spawn_on(lane, &self.runtime);
    }

    /// Posts progress, once: a newer one follows, and the result counts.
    pub(crate) async fn post_progress(&self, job: &JobId, json: Vec<u8>) {
        let Some(url) = self.poster.link.urls.done(job.as_str()) else { return };
        let mut body = b"{\"status\":\"IN_PROGRESS\",\"output\":".to_vec();
        body.extend_from_slice(&json);
        body.push(b'}');
        match self.poster.link.post(&url, job, body, POST_TIMEOUT).await {
            Ok(status) if status.is_success() => {}
            Ok(status) => {
                tracing::debug!(request_id = job.as_str(), %status, "the progress was not accepted");
            }
            Err(problem) => {
                tracing::debug!(request_id = job.as_str(), %problem, "the progress was not delivered");
            }
        }
    }

    /// Waits until every result has been delivered or given up. All slots have to be free before.
    pub(crate) async fn drained(&self) {
        self.posts.close();
        self.posts.wait().await;
    }
}

/// Brings one result home, retried until the queue has it.
#[derive(Debug)]
pub(crate) struct Poster {
    pub(crate) link: Arc<Link>,
    pub(crate) identity: Identity,
}

impl Poster {
    fn body(&self, outcome: &Outcome, refresh: bool) -> Vec<u8> {
        let mut body = match outcome {
            Ok(encoded) => {
                let mut body = Vec::with_capacity(encoded.json.len() + 28);
                body.extend_from_slice(b"{\"output\":");
                body.extend_from_slice(&encoded.json);
                body.push(b'}');
                body
            }
            Err(error) => self.error_body(error),
        };
        if refresh {
            body.pop();
            body.extend_from_slice(b",\"stopPod\":true}");
        }
        body
    }

    fn error_body(&self, error: &WireError) -> Vec<u8> {
        // `error` has to be a string: the platform shows a job with any other value as completed (contract F.1).
        let text = to_error_string(error, &self.identity.hostname, &self.identity.worker_id);
        serde_json::json!({ "error": text }).to_string().into_bytes()
    }

    async fn deliver(&self, job: &HeldJob, mut body: Vec<u8>, mut is_result: bool) {
        let job = job.id();
        let Some(url) = self.link.urls.done(job.as_str()) else {
            tracing::error!(
                request_id = job.as_str(),
                "RUNPOD_WEBHOOK_POST_OUTPUT is not set, so the result is lost"
            );
            return;
        };
        let give_up = self.link.clock.now() + PATIENCE;
        let mut backoff = Backoff::new(Duration::from_millis(200), Duration::from_secs(10));
        loop {
            let problem = match self.link.post(&url, job, body.clone(), POST_TIMEOUT).await {
                Ok(status) if status.is_success() => {
                    tracing::debug!(request_id = job.as_str(), "result delivered");
                    return;
                }
                Ok(status) if !may_pass(status) => {
                    if !is_result {
                        tracing::error!(request_id = job.as_str(), %status, "the queue refuses the job's error");
                        return;
                    }
                    // The queue will never take this result, so the caller is told why.
                    tracing::error!(request_id = job.as_str(), %status, bytes = body.len(), "the queue refuses the result");
                    let mut error = WireError::new(
                        code::RESULT_TOO_LARGE,
                        format!("the queue refused the result of {} bytes with {status}", body.len()),
                    )
                    .terminal();
                    error.request_id = Some(job.to_string());
                    body = self.error_body(&error);
                    is_result = false;
                    continue;
                }
                Ok(status) => status.to_string(),
                Err(error) => error.to_string(),
            };
            if self.link.clock.now() >= give_up {
                tracing::error!(
                    request_id = job.as_str(),
                    problem,
                    "the result could not be delivered and is lost"
                );
                return;
            }
            tracing::warn!(
                request_id = job.as_str(),
                problem,
                "the result is not delivered yet; trying again"
            );
            self.link.clock.sleep(backoff.pause()).await;
        }
    }
}

/// Whether the same post may be accepted later.
fn may_pass(status: StatusCode) -> bool {
    status.is_server_error() || matches!(status, StatusCode::TOO_MANY_REQUESTS | StatusCode::REQUEST_TIMEOUT)
}
