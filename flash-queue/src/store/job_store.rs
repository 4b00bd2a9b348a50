//! What the engine needs of a store.

use std::fmt;
use std::sync::Arc;

use flash_core::clock::Timestamp;
use flash_core::ids::{EndpointId, JobId, WorkerId};
use flash_core::wire::Job;

use super::{Answer, Claimed, Counts, Drained, NewJob, Pushed, Stepped};
use crate::Payload;
use crate::machine::{Event, Rules};

/// A place that keeps the jobs of many endpoints.
pub trait Store: Send + Sync + fmt::Debug {
    /// The jobs of one endpoint, which may be there from an earlier life of a durable store.
    fn open(&self, endpoint: &EndpointId, rules: Rules) -> Answer<'_, Arc<dyn JobStore>>;
}

/// The jobs of one endpoint. Each method is one atomic operation: all of it has happened (and is durable, where the store
/// is) when its answer is there, or nothing has.
pub trait JobStore: Send + Sync + fmt::Debug {
    /// Puts a new job at the back of the queue and answers when it is due.
    fn insert(&self, job: NewJob, now: Timestamp) -> Answer<'_, Timestamp>;

    /// Hands up to `most` of the oldest queued jobs to `worker`.
    fn claim(&self, worker: &WorkerId, most: usize, now: Timestamp) -> Answer<'_, Claimed>;

    /// Lets `event` happen to a job. `None`: there is no such job.
    fn step(&self, id: &JobId, event: Event<'_>, now: Timestamp) -> Answer<'_, Option<Stepped>>;

    /// Takes all jobs away from a worker that is gone.
    fn lose(&self, worker: &WorkerId, now: Timestamp) -> Answer<'_, Vec<Stepped>>;

    /// Removes all jobs that wait in the queue.
    fn purge(&self, now: Timestamp) -> Answer<'_, Vec<Stepped>>;

    /// Lets time pass for up to `most` jobs that are due by `now`.
    fn tick(&self, now: Timestamp, most: usize) -> Answer<'_, Vec<Stepped>>;

    /// When the next job is due.
    fn next_due(&self) -> Answer<'_, Option<Timestamp>>;

    /// A job as callers see it.
    fn read(&self, id: &JobId) -> Answer<'_, Option<Job<Payload>>>;

    /// Appends a streamed piece to a job that `worker` holds, unless more than `backlog` bytes would wait to be read.
    /// `None`: there is no such job.
    fn push_chunk(
        &self,
        worker: &WorkerId,
        id: &JobId,
        chunk: Payload,
        backlog: usize,
    ) -> Answer<'_, Option<Pushed>>;

    /// Takes out the streamed pieces of a job.
    fn drain_chunks(&self, id: &JobId) -> Answer<'_, Option<Drained>>;

    /// How many jobs stand where.
    fn counts(&self) -> Answer<'_, Counts>;

    /// The workers that hold jobs. After a restart these are the ones whose leases go on.
    fn busy_workers(&self) -> Answer<'_, Vec<WorkerId>>;
}
