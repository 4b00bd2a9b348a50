//! The jobs of one endpoint: each operation goes to the thread that does it.

use std::fmt;
use std::sync::Arc;

use flash_core::clock::Timestamp;
use flash_core::ids::{JobId, WorkerId};
use flash_core::wire::Job;
use flash_queue::Payload;
use flash_queue::machine::Event;
use flash_queue::store::{
    Answer, Claimed, Counts, Drained, Held, Inserted, JobStore, JobView, Listing, NewJob, Pushed, Stepped,
    Webhook, shown,
};

use super::index::Shown;
use super::queries;
use super::store::Threads;

pub(super) struct SqliteJobs {
    threads: Arc<Threads>,
    /// The number of the endpoint.
    no: i64,
    shown: Arc<Shown>,
}

impl SqliteJobs {
    pub(super) fn new(threads: Arc<Threads>, no: i64, shown: Arc<Shown>) -> Self {
        Self { threads, no, shown }
    }
}

impl JobStore for SqliteJobs {
    fn insert(&self, job: NewJob, now: Timestamp) -> Answer<Inserted> {
        let no = self.no;
        self.threads.write(move |work| work.insert(no, job, now))
    }

    fn claim(&self, worker: &WorkerId, most: usize, now: Timestamp) -> Answer<Claimed> {
        // Idle workers ask all the time. Who inserts a job wakes one of them after that is seen here.
        if self.shown.counts().in_queue == 0 {
            return Answer::now(Claimed::default());
        }
        let (no, worker) = (self.no, worker.clone());
        self.threads.write(move |work| work.claim(no, &worker, most, now))
    }

    fn step(&self, id: &JobId, event: Event<'_>, now: Timestamp) -> Answer<Option<Stepped>> {
        let (no, id, event) = (self.no, id.clone(), Owned::from(event));
        self.threads.write(move |work| work.step(no, &id, event.event(), now))
    }

    fn lose(&self, worker: &WorkerId, now: Timestamp) -> Answer<Vec<Stepped>> {
        let (no, worker) = (self.no, worker.clone());
        self.threads.write(move |work| work.lose(no, &worker, now))
    }

    fn purge(&self, now: Timestamp) -> Answer<Vec<Stepped>> {
        let no = self.no;
        self.threads.write(move |work| work.purge(no, now))
    }

    fn tick(&self, now: Timestamp, most: usize) -> Answer<Vec<Stepped>> {
        if self.shown.next_due().is_none_or(|due| due > now) {
            return Answer::now(Vec::new());
        }
        let no = self.no;
        self.threads.write(move |work| work.tick(no, now, most))
    }

    fn next_due(&self) -> Answer<Option<Timestamp>> {
        Answer::now(self.shown.next_due())
    }

    fn read(&self, id: &JobId) -> Answer<Option<Job<Payload>>> {
        if let Some(job) = self.shown.recent(id) {
            return Answer::now(Some(job));
        }
        let (no, id) = (self.no, id.clone());
        self.threads.read(move |db| {
            let Some(row) = queries::by_id(db, no, &id)? else { return Ok(None) };
            Ok(Some(shown(&row.id, &row.state, &queries::outcome(db, &row)?)))
        })
    }

    fn view(&self, id: &JobId) -> Answer<Option<JobView>> {
        let (no, id) = (self.no, id.clone());
        self.threads.read(move |db| {
            let Some(row) = queries::by_id(db, no, &id)? else { return Ok(None) };
            queries::view(db, &row, true).map(Some)
        })
    }

    fn list(&self, listing: Listing) -> Answer<Vec<JobView>> {
        let no = self.no;
        self.threads.read(move |db| queries::list(db, no, &listing))
    }

    fn held(&self, worker: &WorkerId) -> Answer<Vec<Held>> {
        if self.shown.counts().in_progress == 0 {
            return Answer::now(Vec::new());
        }
        let (no, worker) = (self.no, worker.clone());
        self.threads.write(move |work| work.held(no, &worker))
    }

    fn webhooks(&self) -> Answer<Vec<Webhook>> {
        let no = self.no;
        self.threads.read(move |db| queries::webhooks(db, no))
    }

    fn settle_webhook(&self, id: &JobId) -> Answer<()> {
        let (no, id) = (self.no, id.clone());
        self.threads.write(move |work| work.settle_webhook(no, &id))
    }

    fn push_chunk(
        &self,
        worker: &WorkerId,
        id: &JobId,
        chunk: Payload,
        backlog: usize,
    ) -> Answer<Option<Pushed>> {
        let (no, worker, id) = (self.no, worker.clone(), id.clone());
        self.threads.write(move |work| work.push_chunk(no, &worker, &id, &chunk, backlog))
    }

    fn drain_chunks(&self, id: &JobId) -> Answer<Option<Drained>> {
        let (no, id) = (self.no, id.clone());
        self.threads.write(move |work| work.drain_chunks(no, &id))
    }

    fn counts(&self) -> Answer<Counts> {
        Answer::now(self.shown.counts())
    }

    fn oldest_queued(&self) -> Answer<Option<Timestamp>> {
        let counts = self.shown.counts();
        if counts.in_queue == counts.low_priority {
            return Answer::now(None);
        }
        let no = self.no;
        self.threads.write(move |work| work.oldest_queued(no))
    }

    fn busy_workers(&self) -> Answer<Vec<WorkerId>> {
        let no = self.no;
        self.threads.write(move |work| Ok(work.index(no)?.busy_workers().cloned().collect()))
    }
}

impl fmt::Debug for SqliteJobs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SqliteJobs({})", self.no)
    }
}

/// An [`Event`] that can go to another thread.
enum Owned {
    Taken(WorkerId),
    Progress(WorkerId, Option<Payload>),
    Completed(WorkerId, Option<Payload>),
    Failed(WorkerId, Arc<str>, Option<Payload>),
    Returned(WorkerId),
    WorkerLost(WorkerId),
    Unreadable(Arc<str>),
    Cancel,
    Retry,
    Purge,
    Tick,
}

impl From<Event<'_>> for Owned {
    fn from(event: Event<'_>) -> Self {
        match event {
            Event::Taken(worker) => Self::Taken(worker.clone()),
            Event::Progress(worker, output) => Self::Progress(worker.clone(), output),
            Event::Completed(worker, output) => Self::Completed(worker.clone(), output),
            Event::Failed(worker, error, output) => Self::Failed(worker.clone(), error, output),
            Event::Returned(worker) => Self::Returned(worker.clone()),
            Event::WorkerLost(worker) => Self::WorkerLost(worker.clone()),
            Event::Unreadable(error) => Self::Unreadable(error),
            Event::Cancel => Self::Cancel,
            Event::Retry => Self::Retry,
            Event::Purge => Self::Purge,
            Event::Tick => Self::Tick,
        }
    }
}

impl Owned {
    fn event(&self) -> Event<'_> {
        match self {
            Self::Taken(worker) => Event::Taken(worker),
            Self::Progress(worker, output) => Event::Progress(worker, output.clone()),
            Self::Completed(worker, output) => Event::Completed(worker, output.clone()),
            Self::Failed(worker, error, output) => Event::Failed(worker, error.clone(), output.clone()),
            Self::Returned(worker) => Event::Returned(worker),
            Self::WorkerLost(worker) => Event::WorkerLost(worker),
            Self::Unreadable(error) => Event::Unreadable(error.clone()),
            Self::Cancel => Event::Cancel,
            Self::Retry => Event::Retry,
            Self::Purge => Event::Purge,
            Self::Tick => Event::Tick,
        }
    }
}
