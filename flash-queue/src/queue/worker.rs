//! What workers do with a queue, over the wire or in the same process.

use std::pin::pin;
use std::time::Duration;

use flash_core::clock::Timestamp;
use flash_core::ids::{JobId, WorkerId};
use flash_core::wire::{DoneBody, DoneOutcome, TakenJob};
use tokio::sync::oneshot;

use super::workers::{Worker, Workers};
use super::{Contact, Queue, WorkerSigns};
use crate::limits::Oversized;
use crate::machine::{Event, Verdict};
use crate::store::{Answer, Claimed, Pushed};
use crate::{Payload, QueueError, StoreError};

/// What a queue has to do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Load {
    /// Jobs that wait for a worker, without those of low priority, which start no workers.
    pub waiting: u64,
    /// Jobs that workers have.
    pub running: u64,
    /// When the oldest of the waiting jobs was submitted.
    pub oldest: Option<Timestamp>,
}

impl Queue {
    /// A worker is on its way: it counts as initialising until it takes its first job or is heard of.
    pub fn expect_worker(&self, worker: &WorkerId) {
        self.0.workers.get(worker);
    }

    /// Waits until a worker that is on its way has come.
    pub async fn worker_joined(&self, worker: &WorkerId) {
        self.until(|workers| workers.has_joined(worker)).await;
    }

    /// Waits until a worker wants to be restarted (`stopPod` of a result that it posted).
    pub async fn worker_wants_refresh(&self, worker: &WorkerId) {
        self.until(|workers| workers.wants_refresh(worker)).await;
    }

    /// Waits until a worker says that it is broken (a failed fitness check).
    pub async fn worker_is_unhealthy(&self, worker: &WorkerId) {
        self.until(|workers| workers.is_unhealthy(worker)).await;
    }

    async fn until(&self, what: impl Fn(&Workers) -> bool) {
        let mut changes = self.0.workers.watch();
        while !what(&self.0.workers) {
            // The sender lives as long as `self`, so this can not fail.
            let _ = changes.changed().await;
        }
    }

    /// A worker made a request over the wire. From now on it counts as lost when it is silent for longer than its lease;
    /// it is not silent as long as the answer is held.
    pub fn contact(&self, worker: &WorkerId) -> Contact {
        Contact::new(self.clone(), self.0.workers.joined(worker))
    }

    /// Takes up to `most` jobs, oldest first, and waits up to `hold` for the first of them. Empty: there was none.
    ///
    /// Dropping the future takes no job.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn take(
        &self,
        worker: &WorkerId,
        most: usize,
        hold: Duration,
    ) -> Result<Vec<TakenJob<Payload>>, QueueError> {
        let began = self.clock().now();
        let taking = self.0.workers.taking(worker);
        // What waits is taken without getting in line.
        let Some(giving) = taking.0.giving().await else {
            // Held as if there were no jobs, so that it does not ask again and again.
            self.clock().sleep_until(began + hold).await;
            return Ok(Vec::new());
        };
        let jobs = self.claim(worker, &taking.0, most, began).await?;
        drop(giving);
        if !jobs.is_empty() || hold.is_zero() {
            return Ok(jobs);
        }
        let mut retired = pin!(taking.0.retire_ready.notified());
        retired.as_mut().enable();
        loop {
            // In line before the look, so that a job that comes in between wakes this worker.
            let mut queued = pin!(self.0.queued.notified());
            queued.as_mut().enable();
            let Some(giving) = taking.0.giving().await else { return Ok(Vec::new()) };
            let jobs = self.claim(worker, &taking.0, most, self.clock().now()).await?;
            drop(giving);
            if !jobs.is_empty() {
                return Ok(jobs);
            }
            let more = pin!(async {
                tokio::select! {
                    () = queued => true,
                    () = &mut retired => false,
                }
            });
            // A notice that comes together with the retirement is passed on by the dropped `queued`.
            if !self.clock().timeout_at(began + hold, more).await.unwrap_or(false) {
                return Ok(Vec::new());
            }
        }
    }

    /// A worker gets no more jobs: a take that it has open ends empty, and later ones are held until they do. What it has
    /// it may finish. When this returns, a job that was just being given to it is among the [busy](Self::busy_workers)
    /// worker's.
    pub async fn retire(&self, worker: &WorkerId) {
        self.0.workers.get(worker).retire().await;
    }

    /// What a worker has shown of itself. `None`: it was never expected and never seen, or is gone.
    pub fn worker_signs(&self, worker: &WorkerId) -> Option<WorkerSigns> {
        self.0.workers.signs(worker)
    }

    /// The workers that have jobs.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn busy_workers(&self) -> Result<Vec<WorkerId>, QueueError> {
        Ok(self.0.jobs.busy_workers().await?)
    }

    /// What there is to do.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn load(&self) -> Result<Load, QueueError> {
        let counts = self.0.jobs.counts().await?;
        let waiting = counts.in_queue.saturating_sub(counts.low_priority);
        let oldest = if waiting > 0 { self.0.jobs.oldest_queued().await? } else { None };
        Ok(Load { waiting, running: counts.in_progress, oldest })
    }

    /// Waits until a job was queued, a worker reported that it is broken, or one asked for a new start, since this was
    /// awaited last. One task may wait.
    pub async fn attention(&self) {
        self.0.attention.notified().await;
    }

    /// Reports what became of a job. [`Verdict::Ignored`]: it had ended already, or another worker has it.
    ///
    /// # Errors
    /// [`QueueError::ResultTooLarge`] when the output is over its limit (the job has ended then); when there is no such
    /// job (any more), or the store fails.
    pub async fn done(
        &self,
        worker: &WorkerId,
        id: &JobId,
        body: DoneBody<Payload>,
    ) -> Result<Verdict, QueueError> {
        if let Some(size) = body.output.as_ref().map(Payload::len)
            && size > self.result_limit(id)
        {
            // Rare, and not worth a place in the future of every result.
            return Err(Box::pin(self.done_oversized(worker, id, size as u64)).await);
        }
        let now = self.clock().now();
        if let Some(known) = self.0.workers.find(worker) {
            known.works(now);
        }
        if body.stop_pod {
            Box::pin(self.0.workers.mark_refresh(worker)).await;
            self.0.attention.notify_one();
        }
        let event = match body.outcome() {
            DoneOutcome::Progress(output) => Event::Progress(worker, output),
            DoneOutcome::Completed(output) => Event::Completed(worker, output),
            DoneOutcome::Failed { error, output } => Event::Failed(worker, error.into(), output),
        };
        Ok(self.step_at(id, event, now).await?.1)
    }

    /// Ends a job whose result was too large to be read.
    pub(crate) async fn done_oversized(&self, worker: &WorkerId, id: &JobId, size: u64) -> QueueError {
        let limit = self.result_limit(id);
        let vanished = self.limits().oversized_result == Oversized::Vanish;
        let error = QueueError::ResultTooLarge { size, limit, vanished };
        tracing::warn!(endpoint = %self.id(), %worker, job = %id, size, limit, "result is over its limit");
        let event = match self.limits().oversized_result {
            Oversized::Vanish => Event::Completed(worker, None),
            Oversized::Fail => Event::Failed(worker, error.to_string().into(), None),
        };
        match self.step(id, event).await {
            Ok(_) => error,
            Err(other) => other,
        }
    }

    /// Appends a piece to the stream of a job. [`Verdict::Ignored`]: the worker does not have the job (any more).
    ///
    /// # Errors
    /// [`QueueError::StreamFull`] when too much waits to be read; when there is no such job (any more), or the store fails.
    pub async fn push(&self, worker: &WorkerId, id: &JobId, chunk: Payload) -> Result<Verdict, QueueError> {
        let backlog = self.limits().stream_backlog;
        match self.0.jobs.push_chunk(worker, id, chunk, backlog).await? {
            None => Err(QueueError::UnknownJob(id.clone())),
            Some(Pushed::Full) => Err(QueueError::StreamFull { limit: backlog }),
            Some(Pushed::NotHeld) => Ok(Verdict::Ignored),
            Some(Pushed::Kept) => {
                self.revised();
                Ok(Verdict::Applied)
            }
        }
    }

    /// Waits up to `hold` for jobs that `worker` must stop. Empty: there were none.
    pub async fn stops(&self, worker: &WorkerId, hold: Duration) -> Vec<JobId> {
        let worker = self.0.workers.joined(worker);
        let until = self.clock().now() + hold;
        loop {
            let mut ready = pin!(worker.stop_ready.notified());
            ready.as_mut().enable();
            let stops = worker.take_stops();
            if !stops.is_empty() || self.clock().timeout_at(until, ready).await.is_err() {
                return stops;
            }
        }
    }

    /// A worker says that it is broken.
    pub fn worker_unhealthy(&self, worker: &WorkerId, check: &str, reason: &str) {
        tracing::warn!(endpoint = %self.id(), %worker, check, reason, "worker is unhealthy");
        self.0.workers.mark_unhealthy(worker);
        self.0.attention.notify_one();
    }

    /// A worker is gone. Its jobs go back to the queue or, when that was done before, fail. Answers how many it had.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn worker_lost(&self, worker: &WorkerId) -> Result<usize, QueueError> {
        Ok(self.lose(worker).await?)
    }

    pub(super) async fn lose(&self, worker: &WorkerId) -> Result<usize, StoreError> {
        self.0.workers.forget(worker);
        let lost = self.0.jobs.lose(worker, self.clock().now()).await?;
        let count = lost.len();
        for step in lost {
            self.follow(step);
        }
        Ok(count)
    }

    /// A heartbeat of a worker listed the jobs that it has. One that it has had for longer than its lease, as far as the
    /// platform knows, and that is not among them never reached it, or was dropped by it: it counts as lost.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn worker_lists(&self, worker: &WorkerId, jobs: &[&str]) -> Result<(), QueueError> {
        if !self.limits().ping_lists_jobs {
            return Ok(());
        }
        let now = self.clock().now();
        for held in self.0.jobs.held(worker).await? {
            if held.taken + self.limits().lease <= now && !jobs.contains(&held.id.as_str()) {
                tracing::warn!(endpoint = %self.id(), %worker, job = %held.id, "worker does not know of its job, which counts as lost");
                self.step(&held.id, Event::WorkerLost(worker)).await?;
            }
        }
        Ok(())
    }

    async fn claim(
        &self,
        worker: &WorkerId,
        known: &Worker,
        most: usize,
        now: Timestamp,
    ) -> Result<Vec<TakenJob<Payload>>, QueueError> {
        let most = self.share(most.max(1)).await?;
        let claimed = match self.0.jobs.claim(worker, most, now) {
            Answer::Later(claiming) => self.claim_for(worker.clone(), claiming).await?,
            there => there.await?,
        };
        if !claimed.jobs.is_empty() {
            known.works(now);
        }
        if let Some(due) = claimed.due {
            self.revised();
            self.consider(due);
        }
        for step in claimed.failed {
            self.follow(step);
        }
        Ok(claimed.jobs)
    }

    /// How many jobs one take may have: all that wait, divided by the workers that want some. A worker with many slots would
    /// otherwise leave nothing to one that asked at the same moment.
    async fn share(&self, most: usize) -> Result<usize, QueueError> {
        if most == 1 {
            return Ok(1);
        }
        let takers = self.0.workers.takers().max(1);
        if takers == 1 {
            return Ok(most);
        }
        let queued = usize::try_from(self.0.jobs.counts().await?.in_queue).unwrap_or(usize::MAX);
        Ok(most.min(queued.div_ceil(takers)).max(1))
    }

    /// Finishes a claim even when the one who asked is gone by then; what was claimed for nobody goes back at once.
    async fn claim_for(
        &self,
        worker: WorkerId,
        claiming: impl Future<Output = Result<Claimed, StoreError>> + Send + 'static,
    ) -> Result<Claimed, QueueError> {
        let (sender, receiver) = oneshot::channel();
        let queue = self.clone();
        tokio::spawn(async move {
            let Err(Ok(claimed)) = sender.send(claiming.await) else { return };
            for step in claimed.failed {
                queue.follow(step);
            }
            for job in claimed.jobs {
                if let Err(error) = queue.step(&job.id, Event::Returned(&worker)).await {
                    tracing::error!(endpoint = %queue.id(), job = %job.id, %error, "failed to put a job back");
                }
            }
        });
        match receiver.await {
            Ok(claimed) => Ok(claimed?),
            // The task is only dropped with its runtime.
            Err(_) => std::future::pending().await,
        }
    }

    fn result_limit(&self, id: &JobId) -> usize {
        if id.is_sync() { self.limits().runsync_result } else { self.limits().run_result }
    }
}
