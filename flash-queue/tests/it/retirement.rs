//! What a worker may still get when it is let go.

use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use flash_core::clock::{Clock, Timestamp};
use flash_core::ids::{EndpointId, JobId, WorkerId};
use flash_core::wire::Job;
use flash_queue::machine::{Event, Rules};
use flash_queue::store::{
    Answer, Claimed, Counts, Drained, Held, Inserted, JobStore, JobView, Listing, NewJob, Pushed, Stepped,
    Store, Webhook,
};
use flash_queue::{Limits, MemoryStore, Payload, Queues};
use tokio::sync::Semaphore;

use crate::support::{open, submission, worker};

/// A store that hands out jobs only when it is let, as a database that is busy does.
#[derive(Debug)]
struct Hesitant {
    store: MemoryStore,
    claims: Arc<Semaphore>,
}

impl Store for Hesitant {
    fn open(&self, endpoint: &EndpointId, rules: Rules) -> Answer<Arc<dyn JobStore>> {
        let (opened, claims) = (self.store.open(endpoint, rules), self.claims.clone());
        Answer::Later(Box::pin(async move {
            let jobs = opened.await?;
            Ok(Arc::new(HesitantJobs { jobs, claims }) as Arc<dyn JobStore>)
        }))
    }
}

#[derive(Debug)]
struct HesitantJobs {
    jobs: Arc<dyn JobStore>,
    claims: Arc<Semaphore>,
}

/// Methods that the inner store answers.
macro_rules! as_the_inner {
    ($(fn $name:ident($($arg:ident: $kind:ty),*) -> $answer:ty;)*) => {
        $(fn $name(&self, $($arg: $kind),*) -> Answer<$answer> {
            self.jobs.$name($($arg),*)
        })*
    };
}

impl JobStore for HesitantJobs {
    fn claim(&self, worker: &WorkerId, most: usize, now: Timestamp) -> Answer<Claimed> {
        let (jobs, claims, worker) = (self.jobs.clone(), self.claims.clone(), worker.clone());
        Answer::Later(Box::pin(async move {
            claims.acquire().await.unwrap().forget();
            jobs.claim(&worker, most, now).await
        }))
    }

    as_the_inner! {
        fn insert(job: NewJob, now: Timestamp) -> Inserted;
        fn step(id: &JobId, event: Event<'_>, now: Timestamp) -> Option<Stepped>;
        fn lose(worker: &WorkerId, now: Timestamp) -> Vec<Stepped>;
        fn purge(now: Timestamp) -> Vec<Stepped>;
        fn tick(now: Timestamp, most: usize) -> Vec<Stepped>;
        fn next_due() -> Option<Timestamp>;
        fn read(id: &JobId) -> Option<Job<Payload>>;
        fn view(id: &JobId) -> Option<JobView>;
        fn list(listing: Listing) -> Vec<JobView>;
        fn held(worker: &WorkerId) -> Vec<Held>;
        fn webhooks() -> Vec<Webhook>;
        fn settle_webhook(id: &JobId) -> ();
        fn push_chunk(worker: &WorkerId, id: &JobId, chunk: Payload, backlog: usize) -> Option<Pushed>;
        fn drain_chunks(id: &JobId) -> Option<Drained>;
        fn counts() -> Counts;
        fn oldest_queued() -> Option<Timestamp>;
        fn busy_workers() -> Vec<WorkerId>;
    }
}

/// Whoever lets a worker go asks whether it is busy, and ends it if it is not: a job on its way to it must be seen then.
#[tokio::test]
async fn a_job_that_is_just_being_handed_out_counts_when_its_worker_is_retired() {
    let claims = Arc::new(Semaphore::new(0));
    let limits = Limits::default();
    let store = Hesitant { store: MemoryStore::new(&limits), claims: claims.clone() };
    let queue = open(&Queues::new(Arc::new(store), Clock::real(), limits), "ep").await;
    queue.submit(submission("1")).await.unwrap();
    let w = worker("w");

    let mut take = Box::pin(queue.take(&w, 1, Duration::ZERO));
    let mut retire = Box::pin(queue.retire(&w));
    std::future::poll_fn(|cx| {
        assert!(take.as_mut().poll(cx).is_pending());
        assert!(retire.as_mut().poll(cx).is_pending());
        Poll::Ready(())
    })
    .await;
    claims.add_permits(9);
    let (taken, ()) = tokio::join!(take, retire);
    assert_eq!(taken.unwrap().len(), 1);
    assert_eq!(queue.busy_workers().await.unwrap(), std::slice::from_ref(&w));

    queue.submit(submission("2")).await.unwrap();
    assert!(queue.take(&w, 1, Duration::ZERO).await.unwrap().is_empty());
}
