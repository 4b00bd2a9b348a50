//! The memory store against a slow and simple model of it, over random schedules; and its bounds.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use flash_core::clock::Timestamp;
use flash_core::ids::{EndpointId, JobId, WorkerId};
use flash_core::wire::JobStatus;
use flash_queue::machine::{Event, JobState, Place, Rules, Terms};
use flash_queue::store::{JobStore, NewJob};
use flash_queue::{Limits, MemoryStore, Payload, Store};

use crate::rng::Rng;

const TERMS: Terms = Terms {
    execution_timeout: Duration::from_secs(60),
    ttl: Duration::from_secs(600),
    retention: Duration::from_secs(30),
    low_priority: false,
};

fn payload(n: u64) -> Payload {
    Payload::from_json(n.to_string()).unwrap()
}

fn new_job(n: u64) -> NewJob {
    NewJob { id: JobId::from(format!("j{n}")), input: Some(payload(n)), attached: None, terms: TERMS }
}

async fn open(limits: &Limits) -> Arc<dyn JobStore> {
    MemoryStore::new(limits).open(&EndpointId::from("ep"), Rules::from(limits)).await.unwrap()
}

/// The same as the store, without any index.
struct Model {
    rules: Rules,
    jobs: BTreeMap<u64, JobState>,
    queue: Vec<u64>,
}

impl Model {
    fn step(&mut self, n: u64, event: Event<'_>, now: Timestamp) -> bool {
        let Some(job) = self.jobs.get_mut(&n) else { return false };
        let effects = self.rules.step(job, event, now);
        if job.status != JobStatus::InQueue {
            self.queue.retain(|other| *other != n);
        }
        match effects.enqueue {
            Some(Place::Front) => self.queue.insert(0, n),
            Some(Place::Back) => self.queue.push(n),
            None => {}
        }
        if effects.remove {
            self.jobs.remove(&n);
        }
        true
    }
}

#[tokio::test]
async fn the_store_does_what_its_model_does() {
    for seed in 0..60 {
        let limits = Limits::default();
        let store = open(&limits).await;
        let mut model = Model { rules: Rules::from(&limits), jobs: BTreeMap::new(), queue: Vec::new() };
        let mut rng = Rng(seed);
        let mut now = Timestamp::from_millis(1_000_000);
        let mut submitted = 0;
        for step in 0..600 {
            let context = format!("seed {seed}, step {step}");
            let worker = WorkerId::from(format!("w{}", rng.below(4)));
            let n = rng.below(submitted.max(1));
            let id = JobId::from(format!("j{n}"));
            match rng.below(20) {
                0..=5 => {
                    store.insert(new_job(submitted), now).await.unwrap();
                    model.jobs.insert(submitted, JobState::submitted(now, TERMS));
                    model.queue.push(submitted);
                    submitted += 1;
                }
                6..=9 => {
                    let most = 1 + rng.below(3) as usize;
                    let claimed = store.claim(&worker, most, now).await.unwrap();
                    let expected: Vec<u64> = model.queue.iter().copied().take(most).collect();
                    for n in &expected {
                        model.step(*n, Event::Taken(&worker), now);
                    }
                    let ids: Vec<_> = claimed.jobs.iter().map(|job| job.id.to_string()).collect();
                    assert_eq!(
                        ids,
                        expected.iter().map(|n| format!("j{n}")).collect::<Vec<_>>(),
                        "{context}"
                    );
                }
                10..=12 => {
                    let event = Event::Completed(&worker, Some(payload(step)));
                    let stepped = store.step(&id, event.clone(), now).await.unwrap();
                    assert_eq!(stepped.is_some(), model.step(n, event, now), "{context}");
                }
                13 => {
                    let event = Event::Failed(&worker, "x".into(), None);
                    store.step(&id, event.clone(), now).await.unwrap();
                    model.step(n, event, now);
                }
                14 => {
                    store.step(&id, Event::Cancel, now).await.unwrap();
                    model.step(n, Event::Cancel, now);
                }
                15 => {
                    store.step(&id, Event::Retry, now).await.unwrap();
                    model.step(n, Event::Retry, now);
                }
                16 => {
                    let mut lost: Vec<_> = store
                        .lose(&worker, now)
                        .await
                        .unwrap()
                        .into_iter()
                        .map(|step| step.job.id.as_str()[1..].parse::<u64>().unwrap())
                        .collect();
                    for n in &lost {
                        model.step(*n, Event::WorkerLost(&worker), now);
                    }
                    lost.sort_unstable();
                    let held = model.jobs.iter().filter(|(_, job)| job.is_held_by(&worker)).count();
                    assert_eq!(held, 0, "{context}: all of its jobs were taken away");
                }
                17 if rng.below(10) == 0 => {
                    let purged = store.purge(now).await.unwrap().len();
                    assert_eq!(purged, model.queue.len(), "{context}");
                    for n in model.queue.clone() {
                        model.step(n, Event::Purge, now);
                    }
                }
                _ => {
                    now = now + Duration::from_millis(rng.below(8_000));
                    let mut ticked = 0;
                    loop {
                        let stepped = store.tick(now, 2).await.unwrap();
                        ticked += stepped.len();
                        if stepped.len() < 2 {
                            break;
                        }
                    }
                    // One tick can make another one due: a job that ends late was perhaps to be removed already.
                    let mut expected = 0;
                    loop {
                        let due: Vec<u64> = model
                            .jobs
                            .iter()
                            .filter(|(_, job)| model.rules.due(job) <= now)
                            .map(|(n, _)| *n)
                            .collect();
                        if due.is_empty() {
                            break;
                        }
                        for n in due {
                            model.step(n, Event::Tick, now);
                            expected += 1;
                        }
                    }
                    assert_eq!(ticked, expected, "{context}");
                }
            }
            let counts = store.counts().await.unwrap();
            let count = |status| model.jobs.values().filter(|job| job.status == status).count() as u64;
            assert_eq!(counts.in_queue, count(JobStatus::InQueue), "{context}");
            assert_eq!(counts.in_progress, count(JobStatus::InProgress), "{context}");
            let next = model.jobs.values().map(|job| model.rules.due(job)).min();
            let promised = store.next_due().await.unwrap();
            assert!(
                promised.is_some() == next.is_some() && promised <= next,
                "{context}: {promised:?} {next:?}"
            );
            for (n, job) in &model.jobs {
                let shown = store.read(&JobId::from(format!("j{n}"))).await.unwrap().unwrap();
                assert_eq!(
                    (shown.status, shown.worker_id),
                    (job.status, job.worker.clone()),
                    "{context}, job {n}"
                );
            }
            assert!(store.read(&JobId::from(format!("j{submitted}"))).await.unwrap().is_none());
        }
    }
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
