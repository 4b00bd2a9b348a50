//! What every store of jobs must do, whatever it keeps them in. The stores' own tests run all of it.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use flash_core::clock::Timestamp;
use flash_core::ids::{EndpointId, JobId, WorkerId};
use flash_core::wire::{JobStatus, Policy};
use flash_queue::machine::{Event, JobState, Place, Rules, Terms};
use flash_queue::store::{Attached, Cursor, IdempotencyKey, Inserted, JobStore, Listing, NewJob, Pushed};
use flash_queue::{Limits, Payload, Store};

/// A reproducible sequence of numbers (SplitMix64).
struct Rng(u64);

impl Rng {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % bound
    }
}

/// The percentage of the full number of cases.
pub(crate) fn scaled(full: u64) -> u64 {
    let scale = std::env::var("FLASH_TEST_SCALE").ok().and_then(|text| text.parse::<u64>().ok()).unwrap_or(1);
    (full * scale / 100).max(1)
}

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

async fn open(store: &dyn Store, endpoint: &str) -> Arc<dyn JobStore> {
    store.open(&EndpointId::from(endpoint), Rules::from(&Limits::default())).await.unwrap()
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

/// Random schedules against a slow and simple model. Every `look`th step looks at all jobs.
pub(crate) async fn does_what_its_model_does(store: &dyn Store, seeds: u64, look: u64) {
    for seed in 0..seeds {
        let limits = Limits::default();
        let store = open(store, &format!("ep{seed}")).await;
        let mut model = Model { rules: Rules::from(&limits), jobs: BTreeMap::new(), queue: Vec::new() };
        let mut rng = Rng(seed);
        let mut now = Timestamp::from_millis(1_000_000);
        let mut submitted = 0;
        for step in 0..600_u64 {
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
            for (n, job) in model.jobs.iter().filter(|_| step % look == 0) {
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

fn t(millis: u64) -> Timestamp {
    Timestamp::from_millis(1_000_000 + millis)
}

fn json(text: &str) -> Payload {
    Payload::from_json(text).unwrap()
}

/// Everything that comes with a job is there when it is taken, and when it is looked at.
pub(crate) async fn keeps_what_it_is_given(store: &dyn Store) {
    let store = open(store, "given").await;
    let w = WorkerId::from("w");
    let policy = Policy { execution_timeout: Some(60_000), low_priority: Some(false), ttl: None };
    let attached = Attached {
        webhook: Some("http://example.com/hook".to_owned()),
        policy: Some(policy.clone()),
        extra: vec![("s3Config".to_owned(), json(r#"{"a":  [1]}"#)), ("s3Config".to_owned(), json("2"))],
        key: None,
    };
    let input = json(r#"{"text":  "é\u0000\ud83d\ude00", "n": 1.10}"#);
    let job = |id: &str, input: Option<&Payload>, attached: Option<Attached>| NewJob {
        id: id.into(),
        input: input.cloned(),
        attached: attached.map(Arc::new),
        terms: TERMS,
    };
    store.insert(job("a", Some(&input), Some(attached)), t(0)).await.unwrap();
    store.insert(job("b", None, None), t(1)).await.unwrap();
    let view = store.view(&"a".into()).await.unwrap().unwrap();
    assert_eq!(
        (view.input.as_ref(), view.webhook.as_deref()),
        (Some(&input), Some("http://example.com/hook"))
    );
    let claimed = store.claim(&"w".into(), 5, t(824)).await.unwrap();
    let [a, b] = &claimed.jobs[..] else { panic!("{claimed:?}") };
    assert_eq!((a.id.as_str(), a.input.as_ref(), a.delay_time), ("a", Some(&input), Some(824)));
    assert_eq!(a.policy, Some(policy));
    let extra: Vec<_> = a.extra.iter().map(|(key, value)| (key.as_str(), value.get())).collect();
    assert_eq!(extra, [("s3Config", r#"{"a":  [1]}"#), ("s3Config", "2")]);
    assert_eq!((b.id.as_str(), b.input.as_ref(), b.webhook.as_ref()), ("b", None, None));
    let held: Vec<_> =
        store.held(&"w".into()).await.unwrap().into_iter().map(|held| (held.id, held.taken)).collect();
    assert_eq!(held, [("a".into(), t(824)), ("b".into(), t(824))]);
    assert_eq!(store.busy_workers().await.unwrap(), [WorkerId::from("w")]);

    let progress = Event::Progress(&w, Some(json("\"half\"")));
    let stepped = store.step(&"a".into(), progress, t(900)).await.unwrap().unwrap();
    assert!(stepped.webhook.is_none(), "nothing is told before the end");
    assert_eq!(store.read(&"a".into()).await.unwrap().unwrap().output, Some(json("\"half\"")));
    let done = Event::Completed(&w, Some(json("{\"x\": 1}")));
    let stepped = store.step(&"a".into(), done, t(4_215)).await.unwrap().unwrap();
    assert_eq!(stepped.webhook.as_deref(), Some("http://example.com/hook"));
    assert_eq!(stepped.job.output, Some(json("{\"x\": 1}")));
    store.settle_webhook(&"a".into()).await.unwrap();
    let shown = store.read(&"a".into()).await.unwrap().unwrap();
    assert_eq!(
        (shown.status, shown.execution_time, shown.output),
        (JobStatus::Completed, Some(3_391), Some(json("{\"x\": 1}")))
    );
    // A store may keep the input of a job that has ended, or not; if it does, it is the one that was given.
    let kept = store.view(&"a".into()).await.unwrap().unwrap().input;
    assert!(kept.is_none_or(|kept| kept == input));
    let failed = Event::Failed(&w, "boom é".into(), Some(json("[]")));
    store.step(&"b".into(), failed, t(5_000)).await.unwrap().unwrap();
    let shown = store.read(&"b".into()).await.unwrap().unwrap();
    assert_eq!((shown.error.as_deref(), shown.output), (Some("boom é"), Some(json("[]"))));
    store.step(&"b".into(), Event::Retry, t(5_001)).await.unwrap().unwrap();
    let shown = store.read(&"b".into()).await.unwrap().unwrap();
    assert_eq!(
        (shown.status, shown.error, shown.output, shown.worker_id),
        (JobStatus::InQueue, None, None, None)
    );
    assert!(store.held(&"w".into()).await.unwrap().is_empty());
}

/// Pieces come back once, in order, whole, and never more than may wait.
pub(crate) async fn keeps_streams(store: &dyn Store) {
    let store = open(store, "streams").await;
    let (w, other, id) = (WorkerId::from("w"), WorkerId::from("other"), JobId::from("j0"));
    store.insert(new_job(0), t(0)).await.unwrap();
    let push = |worker: &WorkerId, text: &str| store.push_chunk(worker, &id, json(text), 10);
    assert_eq!(push(&w, "1").await.unwrap(), Some(Pushed::NotHeld));
    store.claim(&w, 1, t(0)).await.unwrap();
    for text in ["\"a\"", "\"b\"", "3"] {
        assert_eq!(push(&w, text).await.unwrap(), Some(Pushed::Kept));
    }
    assert_eq!(push(&w, "55555").await.unwrap(), Some(Pushed::Full));
    assert_eq!(push(&other, "1").await.unwrap(), Some(Pushed::NotHeld));
    assert!(store.push_chunk(&w, &"none".into(), json("1"), 10).await.unwrap().is_none());
    let drained = async || {
        let drained = store.drain_chunks(&id).await.unwrap().unwrap();
        (drained.status, drained.chunks.iter().map(|chunk| chunk.get().to_owned()).collect::<Vec<_>>())
    };
    let looked = store.view(&id).await.unwrap().unwrap().chunks;
    assert_eq!(looked.iter().map(Payload::get).collect::<String>(), r#""a""b"3"#, "a look takes nothing");
    assert!(store.list(Listing::default()).await.unwrap()[0].chunks.is_empty());
    assert_eq!(drained().await, (JobStatus::InProgress, ["\"a\"", "\"b\"", "3"].map(str::to_owned).to_vec()));
    assert!(drained().await.1.is_empty());
    assert!(store.view(&id).await.unwrap().unwrap().chunks.is_empty());
    // What was read made room. A second run begins anew.
    assert_eq!(push(&w, "55555").await.unwrap(), Some(Pushed::Kept));
    store.lose(&w, t(1)).await.unwrap();
    assert_eq!(drained().await, (JobStatus::InQueue, vec![]));
    store.claim(&other, 1, t(2)).await.unwrap();
    push(&other, "7").await.unwrap();
    store.step(&id, Event::Completed(&other, None), t(3)).await.unwrap();
    assert_eq!(
        drained().await,
        (JobStatus::Completed, vec!["7".to_owned()]),
        "the last pieces outlive the end"
    );
    assert!(store.drain_chunks(&"none".into()).await.unwrap().is_none());
}

/// A key names one job for as long as that is kept, in its endpoint.
pub(crate) async fn knows_idempotency_keys(stores: &dyn Store) {
    let store = open(stores, "keys").await;
    let keyed = |id: &str, name: &str, fingerprint| {
        let key = Some(IdempotencyKey { name: name.to_owned(), fingerprint });
        NewJob {
            id: id.into(),
            attached: Some(Arc::new(Attached { key, ..Attached::default() })),
            ..new_job(0)
        }
    };
    assert!(matches!(store.insert(keyed("a", "k", u64::MAX), t(0)).await.unwrap(), Inserted::New { .. }));
    assert_eq!(store.insert(keyed("b", "k", u64::MAX), t(0)).await.unwrap(), Inserted::Existing("a".into()));
    assert_eq!(store.insert(keyed("b", "k", 2), t(0)).await.unwrap(), Inserted::KeyReused("a".into()));
    assert!(matches!(store.insert(keyed("b", "other", 2), t(0)).await.unwrap(), Inserted::New { .. }));
    let elsewhere = open(stores, "keys-elsewhere").await;
    assert!(matches!(elsewhere.insert(keyed("a", "k", 1), t(0)).await.unwrap(), Inserted::New { .. }));
    assert_eq!(store.counts().await.unwrap().in_queue, 2);
    store.step(&"a".into(), Event::Cancel, t(1)).await.unwrap();
    assert_eq!(store.insert(keyed("c", "k", u64::MAX), t(2)).await.unwrap(), Inserted::Existing("a".into()));
    let gone = t(1) + TERMS.retention;
    assert_eq!(store.tick(gone, 9).await.unwrap().len(), 1);
    assert!(matches!(store.insert(keyed("c", "k", 5), gone).await.unwrap(), Inserted::New { .. }));
    assert_eq!(store.purge(gone).await.unwrap().len(), 2);
    assert!(matches!(store.insert(keyed("d", "k", 6), gone).await.unwrap(), Inserted::New { .. }));
}

/// Lists are the youngest first, and priorities are two queues.
pub(crate) async fn lists_and_orders(store: &dyn Store) {
    let store = open(store, "order").await;
    let low = |n: u64| NewJob { terms: Terms { low_priority: true, ..TERMS }, ..new_job(n) };
    for n in 0..6 {
        store.insert(if n % 2 == 0 { low(n) } else { new_job(n) }, t(n)).await.unwrap();
    }
    let ids = |jobs: &[flash_core::wire::TakenJob<Payload>]| {
        jobs.iter().map(|job| job.id.to_string()).collect::<Vec<_>>()
    };
    let taken = store.claim(&"w".into(), 4, t(10)).await.unwrap().jobs;
    assert_eq!(ids(&taken), ["j1", "j3", "j5", "j0"]);
    let counts = store.counts().await.unwrap();
    assert_eq!((counts.in_queue, counts.low_priority, counts.in_progress, counts.busy_workers), (2, 2, 4, 1));
    store.step(&"j2".into(), Event::Cancel, t(11)).await.unwrap();
    assert_eq!(store.counts().await.unwrap().low_priority, 1);
    // What comes back stands before the others of its kind.
    store.lose(&"w".into(), t(12)).await.unwrap();
    assert_eq!(store.counts().await.unwrap().low_priority, 2);
    let listed = async |listing: Listing| {
        let listed = store.list(listing).await.unwrap();
        listed.into_iter().map(|view| view.job.id.to_string()).collect::<Vec<_>>()
    };
    assert_eq!(listed(Listing::default()).await, ["j5", "j4", "j3", "j2", "j1", "j0"]);
    let before = Some(Cursor { submitted: t(4), id: "j4".into() });
    assert_eq!(listed(Listing { most: 2, before, ..Listing::default() }).await, ["j3", "j2"]);
    let gone = Some(Cursor { submitted: t(2), id: "j".into() });
    let rest = listed(Listing { before: gone, ..Listing::default() }).await;
    assert!(rest == ["j1", "j0"] || rest == ["j2", "j1", "j0"], "nothing is left out: {rest:?}");
    assert_eq!(listed(Listing { status: Some(JobStatus::Cancelled), ..Listing::default() }).await, ["j2"]);
    let taken = store.claim(&"v".into(), 9, t(13)).await.unwrap().jobs;
    assert_eq!(ids(&taken), ["j1", "j3", "j5", "j0", "j4"]);
    // A take whose answer was lost never happened.
    store.step(&"j3".into(), Event::Returned(&"v".into()), t(14)).await.unwrap();
    let shown = store.read(&"j3".into()).await.unwrap().unwrap();
    assert_eq!((shown.status, shown.worker_id, shown.retries), (JobStatus::InQueue, None, Some(1)));
    assert_eq!(ids(&store.claim(&"w".into(), 1, t(15)).await.unwrap().jobs), ["j3"]);
}

/// Jobs of one millisecond are all there, page by page.
pub(crate) async fn pages_through_one_moment(store: &dyn Store) {
    let store = open(store, "pages").await;
    for n in 0..7 {
        store.insert(new_job(n), t(1)).await.unwrap();
    }
    let (mut before, mut found) = (None, Vec::new());
    loop {
        let page = store.list(Listing { most: 2, before, ..Listing::default() }).await.unwrap();
        before = page.last().map(flash_queue::store::JobView::cursor);
        found.extend(page.iter().map(|view| view.job.id.to_string()));
        if page.len() < 2 {
            break;
        }
    }
    found.sort();
    assert_eq!(found, ["j0", "j1", "j2", "j3", "j4", "j5", "j6"]);
}

/// All but the schedules.
pub(crate) async fn passes(store: &dyn Store) {
    keeps_what_it_is_given(store).await;
    keeps_streams(store).await;
    knows_idempotency_keys(store).await;
    lists_and_orders(store).await;
    pages_through_one_moment(store).await;
}
