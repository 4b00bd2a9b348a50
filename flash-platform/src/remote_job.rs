use std::future::Future;
use std::pin::pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::Poll;
use std::time::Duration;

use flash_core::clock::{Clock, Timestamp};
use flash_core::ids::JobId;
use flash_core::wire::{Job, JobStatus, RunRequest};
use flash_core::{
    CallFailure, ChunkStream, Error, HandleFuture, JobHandle, OnWait, WaitReason, Waiting, failure_of, unfold,
};

use crate::jobs::JobsClient;

/// Pauses between two looks at a job.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(2);
/// Pauses between two looks at a stream: short after an item, as more may follow.
const FIRST_STREAM_PAUSE: Duration = Duration::from_millis(20);
const LONGEST_STREAM_PAUSE: Duration = Duration::from_secs(1);
/// Looks that may fail in a row before the call does: a platform that restarts is gone for seconds.
const MOST_FAILED_LOOKS: u32 = 8;
/// When a call that waits first asks why, and how often then.
const FIRST_REASON: Duration = Duration::from_secs(5);
const NEXT_REASON: Duration = Duration::from_secs(10);

/// Whom to ask about a job, and whom to tell.
#[derive(Debug, Clone)]
pub(crate) struct Way {
    pub(crate) jobs: JobsClient,
    pub(crate) clock: Clock,
    /// The function or the endpoint, for messages.
    pub(crate) name: String,
    pub(crate) workers_max: Option<u32>,
    pub(crate) on_wait: Option<OnWait>,
}

/// Why a job waits, as far as it is known by now.
#[derive(Debug, Clone, Default)]
pub(crate) struct Reason {
    known: Arc<Mutex<Option<WaitReason>>>,
}

impl Reason {
    fn set(&self, reason: Option<WaitReason>) -> bool {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let is_new = *known != reason;
        *known = reason;
        is_new
    }

    /// `: no worker runs`, for the end of a message.
    pub(crate) fn text(&self) -> String {
        let known = *self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.map(|reason| format!(": {reason}")).unwrap_or_default()
    }
}

impl Way {
    /// Does `work`, and meanwhile tells why it takes so long.
    pub(crate) async fn telling<T>(&self, reason: &Reason, work: impl Future<Output = T>) -> T {
        let mut work = pin!(work);
        let mut told = pin!(self.tell(reason));
        std::future::poll_fn(|cx| {
            if let Poll::Ready(done) = work.as_mut().poll(cx) {
                return Poll::Ready(done);
            }
            // It never ends by itself.
            let _ = told.as_mut().poll(cx);
            Poll::Pending
        })
        .await
    }

    async fn tell(&self, reason: &Reason) {
        let start = self.clock.now();
        let mut pause = FIRST_REASON;
        loop {
            self.clock.sleep(pause).await;
            pause = NEXT_REASON;
            let health = match self.jobs.health().await {
                Ok(health) => health,
                Err(error) => {
                    tracing::debug!(callee = self.name, %error, "the endpoint does not say why the call waits");
                    continue;
                }
            };
            let now = WaitReason::of(&health, self.workers_max);
            if reason.set(now)
                && let Some(now) = now
            {
                let waited = self.clock.now().since(start);
                tracing::warn!(callee = self.name, ?waited, "a call waits: {now}");
                if let Some(on_wait) = &self.on_wait {
                    on_wait.tell(&Waiting::new(now, waited));
                }
            }
        }
    }

    /// Waits for the end of a job.
    pub(crate) async fn poll(&self, id: &JobId, reason: &Reason) -> Result<Job, Error> {
        let mut pause = FIRST_PAUSE;
        let mut failed = 0;
        let looking = async {
            loop {
                self.clock.sleep(pause).await;
                pause = (pause * 2).min(LONGEST_PAUSE);
                match self.jobs.status(id).await {
                    Ok(job) if job.status.is_terminal() => return Ok(job),
                    Ok(_) => failed = 0,
                    Err(error) if error.is_retryable() && failed < MOST_FAILED_LOOKS => {
                        failed += 1;
                        tracing::debug!(job = %id, %error, "looking again");
                    }
                    Err(error) => return Err(error),
                }
            }
        };
        self.telling(reason, looking).await
    }
}

/// A job of a queue endpoint.
#[derive(Debug, Clone)]
pub(crate) struct RemoteJob {
    pub(crate) way: Way,
    pub(crate) id: JobId,
}

impl JobHandle for RemoteJob {
    fn id(&self) -> &JobId {
        &self.id
    }

    fn look(&self) -> HandleFuture<Job> {
        let Self { way, id } = self.clone();
        Box::pin(async move { way.jobs.status(&id).await })
    }

    fn end(&self) -> HandleFuture<Job> {
        let Self { way, id } = self.clone();
        Box::pin(async move {
            // It may have ended long ago.
            let job = way.jobs.status(&id).await;
            match job {
                Ok(job) if job.status.is_terminal() => Ok(job),
                Err(error) if !error.is_retryable() => Err(error),
                _ => way.poll(&id, &Reason::default()).await,
            }
        })
    }

    fn cancel(&self) -> HandleFuture<JobStatus> {
        let Self { way, id } = self.clone();
        Box::pin(async move { Ok(way.jobs.cancel(&id).await?.status) })
    }

    fn retry(&self) -> HandleFuture<()> {
        let Self { way, id } = self.clone();
        Box::pin(async move { way.jobs.retry(&id).await.map(drop) })
    }

    fn stream(&self) -> ChunkStream {
        stream(self.way.clone(), self.id.clone(), None, None)
    }
}

/// The items of a job, as they arrive. The job is cancelled with its guard, when the stream is dropped before its end.
pub(crate) fn stream(
    way: Way,
    id: JobId,
    deadline: Option<Timestamp>,
    guard: Option<CancelOnDrop>,
) -> ChunkStream {
    let reading = Reading {
        way,
        id,
        deadline,
        guard,
        reason: Reason::default(),
        items: Vec::new().into_iter(),
        has_ended: false,
    };
    Box::pin(unfold(Some(reading), |reading| async move {
        let mut reading = reading?;
        match reading.next().await {
            Ok(Some(item)) => Some((Ok(item), Some(reading))),
            Ok(None) => {
                reading.finish();
                None
            }
            Err(Ended::Job(failure)) => {
                reading.finish();
                Some((Err(failure), None))
            }
            // The job may go on, so it is cancelled.
            Err(Ended::Reading(error)) => Some((Err(CallFailure::Transport(error)), None)),
        }
    }))
}

struct Reading {
    way: Way,
    id: JobId,
    deadline: Option<Timestamp>,
    guard: Option<CancelOnDrop>,
    reason: Reason,
    items: std::vec::IntoIter<Vec<u8>>,
    has_ended: bool,
}

enum Ended {
    /// The job, without success.
    Job(CallFailure),
    /// Only the reading.
    Reading(Error),
}

impl Reading {
    async fn next(&mut self) -> Result<Option<Vec<u8>>, Ended> {
        if let Some(item) = self.items.next() {
            return Ok(Some(item));
        }
        if self.has_ended {
            return Ok(None);
        }
        let (deadline, reason) = (self.deadline, self.reason.clone());
        let (clock, name) = (self.way.clock.clone(), self.way.name.clone());
        let refilling = self.refill();
        match deadline {
            None => refilling.await,
            Some(deadline) => clock.timeout_at(deadline, refilling).await.unwrap_or_else(|_| {
                let text = format!("the stream of `{name}` did not end in its time{}", reason.text());
                Err(Ended::Reading(Error::new(flash_core::code::TIMEOUT, text)))
            }),
        }
    }

    async fn refill(&mut self) -> Result<Option<Vec<u8>>, Ended> {
        let (way, id) = (self.way.clone(), self.id.clone());
        let reason = self.reason.clone();
        let looking = async {
            let (mut pause, mut failed) = (FIRST_STREAM_PAUSE, 0);
            loop {
                match way.jobs.stream(&id).await {
                    Ok(answer) if answer.stream.is_empty() && !answer.status.is_terminal() => failed = 0,
                    Ok(answer) => return Ok(answer),
                    Err(error) if error.is_retryable() && failed < MOST_FAILED_LOOKS => failed += 1,
                    Err(error) => return Err(Ended::Reading(error)),
                }
                way.clock.sleep(pause).await;
                pause = (pause * 2).min(LONGEST_STREAM_PAUSE);
            }
        };
        let answer = self.way.telling(&reason, looking).await?;
        let bytes =
            |chunk: flash_core::wire::StreamChunk| Box::<str>::from(chunk.output).into_string().into_bytes();
        self.items = answer.stream.into_iter().map(bytes).collect::<Vec<_>>().into_iter();
        if let Some(item) = self.items.next() {
            return Ok(Some(item));
        }
        // At its end, and everything was read.
        self.has_ended = true;
        if answer.status == JobStatus::Completed {
            return Ok(None);
        }
        let job = self.way.jobs.status(&self.id).await.map_err(Ended::Reading)?;
        Err(Ended::Job(CallFailure::Remote(failure_of(job))))
    }

    /// There is nothing left to cancel.
    fn finish(self) {
        if let Some(guard) = self.guard {
            guard.disarm();
        }
    }
}

/// Cancels the job when its caller no longer waits.
#[derive(Debug)]
pub(crate) struct CancelOnDrop {
    jobs: Option<JobsClient>,
    id: JobId,
}

impl CancelOnDrop {
    pub(crate) fn new(jobs: JobsClient, id: JobId) -> Self {
        Self { jobs: Some(jobs), id }
    }

    /// Submits a job for a caller who may leave at any moment, also before the platform has named the job.
    pub(crate) async fn submit(jobs: JobsClient, body: RunRequest) -> Result<Self, Error> {
        // In a task of its own, which goes on when nobody waits for it; what it then has made is dropped, and so cancelled.
        let submitting = tokio::spawn(async move {
            let id = jobs.run(&body).await?.id;
            Ok(Self::new(jobs, id))
        });
        submitting.await.unwrap_or_else(|error| Err(Error::internal(error)))
    }

    pub(crate) fn id(&self) -> &JobId {
        &self.id
    }

    pub(crate) fn disarm(mut self) {
        self.jobs = None;
    }
}

impl Drop for CancelOnDrop {
    fn drop(&mut self) {
        let (Some(jobs), Ok(runtime)) = (self.jobs.take(), tokio::runtime::Handle::try_current()) else {
            return;
        };
        let id = self.id.clone();
        runtime.spawn(async move {
            if let Err(error) = jobs.cancel(&id).await {
                tracing::debug!(job = %id, %error, "the job of a dropped call could not be cancelled");
            }
        });
    }
}
