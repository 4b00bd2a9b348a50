//! The trait over the table.

use std::sync::{Mutex, MutexGuard, PoisonError};

use flash_core::clock::Timestamp;
use flash_core::ids::{JobId, WorkerId};
use flash_core::wire::Job;

use super::table::Table;
use crate::Payload;
use crate::machine::{Event, Rules};
use crate::store::stepped::shown;
use crate::store::{
    Answer, Claimed, Counts, Drained, Held, Inserted, JobStore, JobView, Listing, NewJob, Pushed, Stepped,
    Webhook,
};

#[derive(Debug)]
pub(super) struct MemoryJobs(Mutex<Table>);

impl MemoryJobs {
    pub(super) fn new(rules: Rules, keep_ended: usize) -> Self {
        Self(Mutex::new(Table::new(rules, keep_ended)))
    }

    fn lock(&self) -> MutexGuard<'_, Table> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl JobStore for MemoryJobs {
    fn insert(&self, job: NewJob, now: Timestamp) -> Answer<Inserted> {
        Answer::now(self.lock().insert(job, now))
    }

    fn claim(&self, worker: &WorkerId, most: usize, now: Timestamp) -> Answer<Claimed> {
        Answer::now(self.lock().claim(worker, most, now))
    }

    fn step(&self, id: &JobId, event: Event<'_>, now: Timestamp) -> Answer<Option<Stepped>> {
        let mut table = self.lock();
        let stepped = table.key(id).and_then(|key| table.step(key, event, now));
        Answer::now(stepped)
    }

    fn lose(&self, worker: &WorkerId, now: Timestamp) -> Answer<Vec<Stepped>> {
        Answer::now(self.lock().lose(worker, now))
    }

    fn purge(&self, now: Timestamp) -> Answer<Vec<Stepped>> {
        let mut table = self.lock();
        let queued = table.queued();
        Answer::now(queued.into_iter().filter_map(|key| table.step(key, Event::Purge, now)).collect())
    }

    fn tick(&self, now: Timestamp, most: usize) -> Answer<Vec<Stepped>> {
        Answer::now(self.lock().tick(now, most))
    }

    fn next_due(&self) -> Answer<Option<Timestamp>> {
        Answer::now(self.lock().next_due())
    }

    fn read(&self, id: &JobId) -> Answer<Option<Job<Payload>>> {
        let table = self.lock();
        let job = table.key(id).and_then(|key| table.jobs.get(key));
        Answer::now(job.map(|job| shown(&job.id, &job.state, &job.outcome)))
    }

    fn view(&self, id: &JobId) -> Answer<Option<JobView>> {
        let table = self.lock();
        let job = table.key(id).and_then(|key| table.jobs.get(key));
        Answer::now(job.map(|job| job.view(true)))
    }

    fn list(&self, listing: Listing) -> Answer<Vec<JobView>> {
        Answer::now(self.lock().list(&listing))
    }

    fn held(&self, worker: &WorkerId) -> Answer<Vec<Held>> {
        Answer::now(self.lock().held(worker))
    }

    /// None: those of this process are under way, and none outlives it.
    fn webhooks(&self) -> Answer<Vec<Webhook>> {
        Answer::now(Vec::new())
    }

    fn settle_webhook(&self, _: &JobId) -> Answer<()> {
        Answer::now(())
    }

    fn push_chunk(
        &self,
        worker: &WorkerId,
        id: &JobId,
        chunk: Payload,
        backlog: usize,
    ) -> Answer<Option<Pushed>> {
        let mut table = self.lock();
        let job = table.key(id).and_then(|key| table.jobs.get_mut(key));
        Answer::now(job.map(|job| {
            if !job.state.is_held_by(worker) {
                return Pushed::NotHeld;
            }
            let chunks = job.chunks.get_or_insert_default();
            if chunks.bytes + chunk.len() > backlog {
                return Pushed::Full;
            }
            chunks.bytes += chunk.len();
            chunks.waiting.push_back(chunk);
            Pushed::Kept
        }))
    }

    fn drain_chunks(&self, id: &JobId) -> Answer<Option<Drained>> {
        let mut table = self.lock();
        let Some(job) = table.key(id).and_then(|key| table.jobs.get_mut(key)) else {
            return Answer::now(None);
        };
        let chunks = job.chunks.take().map(|chunks| chunks.waiting.into()).unwrap_or_default();
        Answer::now(Some(Drained { status: job.state.status, chunks }))
    }

    fn counts(&self) -> Answer<Counts> {
        Answer::now(self.lock().counts())
    }

    fn oldest_queued(&self) -> Answer<Option<Timestamp>> {
        Answer::now(self.lock().oldest_queued())
    }

    fn busy_workers(&self) -> Answer<Vec<WorkerId>> {
        Answer::now(self.lock().busy_workers().cloned().collect())
    }
}
