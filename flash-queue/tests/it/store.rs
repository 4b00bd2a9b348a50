//! The memory store: what every store must do, and its own bounds.

use std::sync::Arc;
use std::time::Duration;

use flash_core::clock::Timestamp;
use flash_core::ids::{EndpointId, JobId, WorkerId};
use flash_queue::machine::{Event, Rules, Terms};
use flash_queue::store::{JobStore, NewJob};
use flash_queue::{Limits, MemoryStore, Payload, Store};

use crate::conformance;

const TERMS: Terms = Terms {
    execution_timeout: Duration::from_secs(60),
    ttl: Duration::from_secs(600),
    retention: Duration::from_secs(30),
    low_priority: false,
};

fn new_job(n: u64) -> NewJob {
    let input = Payload::from_json(n.to_string()).unwrap();
    NewJob { id: JobId::from(format!("j{n}")), input: Some(input), attached: None, terms: TERMS }
}

async fn open(limits: &Limits) -> Arc<dyn JobStore> {
    MemoryStore::new(limits).open(&EndpointId::from("ep"), Rules::from(limits)).await.unwrap()
}

#[tokio::test]
async fn it_does_what_every_store_must_do() {
    let store = MemoryStore::new(&Limits::default());
    conformance::passes(&store).await;
    conformance::does_what_its_model_does(&store, conformance::scaled(400), 1).await;
}

#[tokio::test]
async fn ended_jobs_take_no_more_memory_than_they_may() {
    let limits = Limits { memory_ended: 100_000, ..Limits::default() };
    let store = open(&limits).await;
    let now = Timestamp::from_millis(1_000_000);
    let worker = WorkerId::from("w");
    let large = Payload::from_json(format!("{:?}", "x".repeat(10_000))).unwrap();
    let mut kept = Vec::new();
    for n in 0..50 {
        store.insert(new_job(n), now).await.unwrap();
        store.claim(&worker, 1, now).await.unwrap();
        let event = Event::Completed(&worker, Some(large.clone()));
        store.step(&JobId::from(format!("j{n}")), event, now).await.unwrap();
        kept = Vec::new();
        for n in 0..=n {
            if store.read(&JobId::from(format!("j{n}"))).await.unwrap().is_some() {
                kept.push(n);
            }
        }
    }
    assert_eq!(*kept.last().unwrap(), 49, "the newest is kept");
    assert!((7..=10).contains(&kept.len()), "{kept:?}");
    assert!(kept.windows(2).all(|pair| pair[0] + 1 == pair[1]), "the oldest went first: {kept:?}");
    assert_eq!(store.counts().await.unwrap().completed, 50, "they are counted all the same");
}

#[tokio::test]
async fn a_job_that_waits_is_never_given_up_for_memory() {
    let limits = Limits { memory_ended: 0, ..Limits::default() };
    let store = open(&limits).await;
    let now = Timestamp::from_millis(1_000_000);
    let worker = WorkerId::from("w");
    for n in 0..3 {
        store.insert(new_job(n), now).await.unwrap();
    }
    store.claim(&worker, 1, now).await.unwrap();
    store.step(&JobId::from("j0"), Event::Completed(&worker, None), now).await.unwrap();
    assert!(store.read(&JobId::from("j0")).await.unwrap().is_none());
    assert_eq!(store.claim(&worker, 9, now).await.unwrap().jobs.len(), 2);
}
