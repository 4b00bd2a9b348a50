//! What callers do with a queue.

use std::time::Duration;

use flash_core::clock::Timestamp;
use flash_core::ids::JobId;
use flash_core::wire::{Job, JobStatus, StreamAnswer, StreamChunk};

use super::{Queue, Submission};
use crate::machine::{Event, Verdict};
use crate::store::{Inserted, JobView, Listing, NewJob, Stepped};
use crate::{Payload, QueueError};

impl Queue {
    /// Queues a job (`/run`).
    ///
    /// # Errors
    /// When its policy is out of bounds, its idempotency key belongs to another job, or the store fails.
    pub async fn submit(&self, submission: Submission) -> Result<JobId, QueueError> {
        let id = JobId::random();
        Ok(self.insert(id.clone(), submission, false).await?.unwrap_or(id))
    }

    /// Queues a job and waits for its end, but no longer than `wait` (`/runsync`). Look at the status of the answer.
    ///
    /// # Errors
    /// When its policy is out of bounds, its idempotency key belongs to another job, or the store fails.
    pub async fn run_sync(&self, submission: Submission, wait: Duration) -> Result<Job<Payload>, QueueError> {
        let id = JobId::random_sync();
        let mut waiting = self.0.waiters.join(&id);
        if let Some(existing) = self.insert(id.clone(), submission, true).await? {
            // Rare, and not worth a place in the future of every call.
            return Box::pin(self.wait(&existing, wait)).await;
        }
        if let Ok(job) = self.clock().timeout(wait, &mut waiting).await {
            return Ok(job);
        }
        self.status(&id).await
    }

    /// Waits for the end of a job, but no longer than `wait`. Look at the status of the answer.
    ///
    /// # Errors
    /// When there is no such job, or the store fails.
    pub async fn wait(&self, id: &JobId, wait: Duration) -> Result<Job<Payload>, QueueError> {
        // The place is taken before the look: an end in between is not missed.
        let mut waiting = self.0.waiters.join(id);
        let job = self.status(id).await?;
        if job.status.is_terminal() {
            return Ok(job);
        }
        if let Ok(job) = self.clock().timeout(wait, &mut waiting).await {
            return Ok(job);
        }
        self.status(id).await
    }

    /// A job as it stands.
    ///
    /// # Errors
    /// When there is no such job (any more), or the store fails.
    pub async fn status(&self, id: &JobId) -> Result<Job<Payload>, QueueError> {
        self.0.jobs.read(id).await?.ok_or_else(|| QueueError::UnknownJob(id.clone()))
    }

    /// Cancels a job, and tells its worker to stop. A job that has ended stays as it is.
    ///
    /// # Errors
    /// When there is no such job (any more), or the store fails.
    pub async fn cancel(&self, id: &JobId) -> Result<JobStatus, QueueError> {
        let (status, _) = self.step(id, Event::Cancel).await?;
        Ok(status)
    }

    /// Queues a failed job again, with its id and its input; its old output and error are gone.
    ///
    /// # Errors
    /// [`QueueError::NotRetryable`] unless it is `FAILED` or `TIMED_OUT`; when there is no such job (any more), or the
    /// store fails.
    pub async fn retry(&self, id: &JobId) -> Result<(), QueueError> {
        match self.step(id, Event::Retry).await? {
            (_, Verdict::Applied) => Ok(()),
            (status, _) => Err(QueueError::NotRetryable(status)),
        }
    }

    /// Removes all jobs that wait for a worker, and answers how many there were.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn purge(&self) -> Result<u64, QueueError> {
        let purged = self.0.jobs.purge(self.clock().now()).await?;
        let count = purged.len() as u64;
        for step in purged {
            self.follow(step);
        }
        Ok(count)
    }

    /// Takes the streamed pieces of a job that nobody has read yet.
    ///
    /// # Errors
    /// When there is no such job (any more), or the store fails.
    pub async fn stream(&self, id: &JobId) -> Result<StreamAnswer<Payload>, QueueError> {
        let drained =
            self.0.jobs.drain_chunks(id).await?.ok_or_else(|| QueueError::UnknownJob(id.clone()))?;
        if !drained.chunks.is_empty() {
            self.revised();
        }
        let stream = drained.chunks.into_iter().map(|output| StreamChunk { output }).collect();
        Ok(StreamAnswer { status: drained.status, stream })
    }

    /// A job with everything that the platform knows of it.
    ///
    /// # Errors
    /// When there is no such job (any more), or the store fails.
    pub async fn view(&self, id: &JobId) -> Result<JobView, QueueError> {
        self.0.jobs.view(id).await?.ok_or_else(|| QueueError::UnknownJob(id.clone()))
    }

    /// Jobs with everything that the platform knows of them but their payloads, the youngest first.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn list(&self, listing: Listing) -> Result<Vec<JobView>, QueueError> {
        Ok(self.0.jobs.list(listing).await?)
    }

    /// Puts a job into the queue. `Some`: it is there already, under this id.
    async fn insert(
        &self,
        id: JobId,
        submission: Submission,
        sync: bool,
    ) -> Result<Option<JobId>, QueueError> {
        let terms = submission.terms(sync, self.options(), self.limits())?;
        let Submission { input, attached } = submission;
        let strip = self.limits().strip_empty_input && input.is_empty_object();
        let job = NewJob { id, input: (!strip).then_some(input), attached, terms };
        match self.0.jobs.insert(job, self.clock().now()).await? {
            Inserted::New { due } => {
                self.revised();
                self.0.queued.notify_one();
                self.0.attention.notify_one();
                self.consider(due);
                Ok(None)
            }
            Inserted::Existing(id) => Ok(Some(id)),
            Inserted::KeyReused(id) => Err(QueueError::KeyReused(id)),
        }
    }

    /// Lets something happen to a job, with all that follows. Answers where the job stands then, and whether it counted.
    pub(super) async fn step(
        &self,
        id: &JobId,
        event: Event<'_>,
    ) -> Result<(JobStatus, Verdict), QueueError> {
        self.step_at(id, event, self.clock().now()).await
    }

    /// As [`step`](Self::step), at this moment.
    pub(super) async fn step_at(
        &self,
        id: &JobId,
        event: Event<'_>,
        now: Timestamp,
    ) -> Result<(JobStatus, Verdict), QueueError> {
        let stepped: Option<Stepped> = self.0.jobs.step(id, event, now).await?;
        let stepped = stepped.ok_or_else(|| QueueError::UnknownJob(id.clone()))?;
        let answer = (stepped.job.status, stepped.effects.verdict);
        self.follow(stepped);
        Ok(answer)
    }
}
