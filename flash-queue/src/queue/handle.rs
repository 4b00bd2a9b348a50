//! The queue of one endpoint: what clients and workers have in common.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use flash_core::clock::{Clock, Timestamp};
use flash_core::ids::{EndpointId, WorkerId};
use flash_core::wire::{Health, HealthJobs};
use tokio::sync::Notify;

use super::QueueOptions;
use super::admission::Admission;
use super::measures::Measures;
use super::queues::earliest;
use super::timers::Timers;
use super::waiters::Waiters;
use super::webhooks::Webhooks;
use super::workers::Workers;
use crate::store::{Counts, JobStore, Stepped};
use crate::{Limits, QueueError, StoreError};

/// The queue of one endpoint. Clones are the same queue.
#[derive(Clone)]
pub struct Queue(pub(super) Arc<Shared>);

pub(super) struct Shared {
    id: EndpointId,
    pub(super) jobs: Arc<dyn JobStore>,
    options: RwLock<QueueOptions>,
    clock: Clock,
    limits: Arc<Limits>,
    timers: Arc<Timers>,
    /// One notice per queued job, so that one job wakes one waiting worker.
    pub(super) queued: Notify,
    /// There is something to look at for whoever starts and stops the workers.
    pub(super) attention: Notify,
    pub(super) waiters: Waiters,
    pub(super) workers: Workers,
    pub(super) webhooks: Arc<Webhooks>,
    pub(super) admission: Admission,
    pub(super) measures: Measures,
    /// Counts what happened to jobs.
    revision: AtomicU64,
}

impl Queue {
    pub(super) fn new(
        id: EndpointId,
        jobs: Arc<dyn JobStore>,
        options: QueueOptions,
        clock: Clock,
        limits: Arc<Limits>,
        timers: Arc<Timers>,
        webhooks: Arc<Webhooks>,
    ) -> Self {
        Self(Arc::new(Shared {
            id,
            jobs,
            options: RwLock::new(options),
            clock,
            limits,
            timers,
            queued: Notify::new(),
            attention: Notify::new(),
            waiters: Waiters::default(),
            workers: Workers::default(),
            webhooks,
            admission: Admission::default(),
            measures: Measures::default(),
            revision: AtomicU64::new(0),
        }))
    }

    /// The endpoint.
    pub fn id(&self) -> &EndpointId {
        &self.0.id
    }

    /// The settings that new jobs are submitted under.
    pub fn options(&self) -> QueueOptions {
        *self.0.options.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes the settings, for jobs that are submitted from now on.
    pub fn set_options(&self, options: QueueOptions) {
        *self.0.options.write().unwrap_or_else(PoisonError::into_inner) = options;
    }

    /// The numbers in force.
    pub fn limits(&self) -> &Limits {
        &self.0.limits
    }

    /// The time in force.
    pub fn clock(&self) -> &Clock {
        &self.0.clock
    }

    /// How many jobs stand where, for whoever decides how many workers there should be.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn depth(&self) -> Result<Counts, QueueError> {
        Ok(self.0.jobs.counts().await?)
    }

    /// How many jobs and workers stand where.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn health(&self) -> Result<Health, QueueError> {
        let counts = self.0.jobs.counts().await?;
        let jobs = HealthJobs {
            completed: counts.completed,
            failed: counts.failed,
            in_progress: counts.in_progress,
            in_queue: counts.in_queue,
            retried: counts.retried,
        };
        Ok(Health { jobs, workers: self.0.workers.health(counts.busy_workers) })
    }

    /// Another number whenever something has happened to a job since: whoever shows jobs looks again then.
    pub fn revision(&self) -> u64 {
        self.0.revision.load(Ordering::Acquire)
    }

    /// Something has happened to a job. It is counted after it can be seen.
    pub(super) fn revised(&self) {
        self.0.revision.fetch_add(1, Ordering::Release);
    }

    /// Goes on with jobs that were there before this process.
    pub(super) async fn resume(&self, departed: impl Fn(&WorkerId) -> bool) -> Result<(), StoreError> {
        let now = self.clock().now();
        for worker in self.0.jobs.busy_workers().await? {
            if departed(&worker) {
                let jobs = self.lose(&worker).await?;
                tracing::info!(endpoint = %self.id(), %worker, jobs, "worker ended with an earlier platform, its jobs go back to the queue");
                continue;
            }
            self.0.workers.leased(&worker, now);
            self.consider(now + self.limits().lease);
        }
        if let Some(due) = self.0.jobs.next_due().await? {
            self.consider(due);
        }
        self.deliver_left(self.0.jobs.webhooks().await?);
        Ok(())
    }

    /// Lets time pass: leases end, jobs expire. Up to `most` jobs in one operation of the store.
    pub(super) async fn pass_time(&self, most: usize) -> Result<(), StoreError> {
        let now = self.clock().now();
        for worker in self.0.workers.lost(self.limits().lease, now) {
            tracing::warn!(endpoint = %self.id(), %worker, "worker was silent for too long, its jobs go back to the queue");
            self.lose(&worker).await?;
        }
        loop {
            let stepped = self.0.jobs.tick(now, most).await?;
            let done = stepped.len() < most;
            for step in stepped {
                self.follow(step);
            }
            if done {
                break;
            }
            tokio::task::yield_now().await;
        }
        let due = self.0.jobs.next_due().await?;
        if let Some(next) = earliest([due, self.0.workers.next_lost(self.limits().lease)]) {
            self.consider(next);
        }
        Ok(())
    }

    /// Does what follows from a step.
    pub(super) fn follow(&self, step: Stepped) {
        let Stepped { effects, job, due, webhook } = step;
        self.revised();
        if let Some(worker) = &effects.stop {
            self.0.workers.stop(worker, &job.id);
        }
        if effects.enqueue.is_some() {
            self.0.queued.notify_one();
            self.0.attention.notify_one();
        }
        if !effects.remove {
            self.consider(due);
        }
        if effects.ended {
            self.0.measures.ended(&job);
            if let Some(url) = webhook {
                self.announce(job.id.clone(), url, effects.remove.then(|| job.clone()));
            }
            self.0.waiters.ended(job);
        }
    }

    pub(super) fn consider(&self, due: Timestamp) {
        self.0.timers.consider(due);
    }
}

impl fmt::Debug for Queue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Queue({})", self.0.id)
    }
}
