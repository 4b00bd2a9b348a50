//! What the engine needs of a store.

use std::fmt;
use std::sync::Arc;

use flash_core::clock::Timestamp;
use flash_core::ids::{EndpointId, JobId, WorkerId};
use flash_core::wire::Job;

use super::{
    Answer, Claimed, Counts, Drained, Held, Inserted, JobView, Listing, NewJob, Pushed, Stepped, Webhook,
};
use crate::Payload;
use crate::machine::{Event, Rules};

/// A place that keeps the jobs of many endpoints.
pub trait Store: Send + Sync + fmt::Debug {
    /// The jobs of one endpoint, which may be there from an earlier life of a durable store.
    fn open(&self, endpoint: &EndpointId, rules: Rules) -> Answer<Arc<dyn JobStore>>;
}

/// The jobs of one endpoint. Each method is one atomic operation: all of it has happened (and is durable, where the store
/// is) when its answer is there, or nothing has.
pub trait JobStore: Send + Sync + fmt::Debug {
    /// Puts a new job at the back of the queue, unless one with the same idempotency key is there.
    fn insert(&self, job: NewJob, now: Timestamp) -> Answer<Inserted>;

    /// Hands up to `most` of the oldest queued jobs to `worker`.
    fn claim(&self, worker: &WorkerId, most: usize, now: Timestamp) -> Answer<Claimed>;

    /// Lets `event` happen to a job. `None`: there is no such job.
    fn step(&self, id: &JobId, event: Event<'_>, now: Timestamp) -> Answer<Option<Stepped>>;

    /// Takes all jobs away from a worker that is gone.
    fn lose(&self, worker: &WorkerId, now: Timestamp) -> Answer<Vec<Stepped>>;

    /// Removes all jobs that wait in the queue.
    fn purge(&self, now: Timestamp) -> Answer<Vec<Stepped>>;

    /// Lets time pass for up to `most` jobs that are due by `now`.
    fn tick(&self, now: Timestamp, most: usize) -> Answer<Vec<Stepped>>;

    /// When the next job is due.
    fn next_due(&self) -> Answer<Option<Timestamp>>;

    /// A job as callers see it.
    fn read(&self, id: &JobId) -> Answer<Option<Job<Payload>>>;

    /// A job as whoever runs the platform sees it, its payloads included.
    fn view(&self, id: &JobId) -> Answer<Option<JobView>>;

    /// Jobs as whoever runs the platform sees them, the youngest first, without their payloads.
    fn list(&self, listing: Listing) -> Answer<Vec<JobView>>;

    /// What `worker` has, oldest first.
    fn held(&self, worker: &WorkerId) -> Answer<Vec<Held>>;

    /// The webhooks of ended jobs that nobody has [settled](Self::settle_webhook). After a restart these go on.
    fn webhooks(&self) -> Answer<Vec<Webhook>>;

    /// The webhook of a job was answered, or given up.
    fn settle_webhook(&self, id: &JobId) -> Answer<()>;

    /// Appends a streamed piece to a job that `worker` holds, unless more than `backlog` bytes would wait to be read.
    /// `None`: there is no such job.
    fn push_chunk(
        &self,
        worker: &WorkerId,
        id: &JobId,
        chunk: Payload,
        backlog: usize,
    ) -> Answer<Option<Pushed>>;

    /// Takes out the streamed pieces of a job.
    fn drain_chunks(&self, id: &JobId) -> Answer<Option<Drained>>;

    /// How many jobs stand where.
    fn counts(&self) -> Answer<Counts>;

    /// When the job was submitted that waits first in the queue, those of low priority left aside.
    fn oldest_queued(&self) -> Answer<Option<Timestamp>>;

    /// The workers that hold jobs. After a restart these are the ones whose leases go on.
    fn busy_workers(&self) -> Answer<Vec<WorkerId>>;
}
