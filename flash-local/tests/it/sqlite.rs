//! The durable store: what every store must do, and what only a disk can do to it.

use std::fs::OpenOptions;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use flash_core::clock::Timestamp;
use flash_core::ids::{EndpointId, JobId, WorkerId};
use flash_core::wire::JobStatus;
use flash_local::{DataError, Durability, SqliteOptions, SqliteStore, repair};
use flash_queue::machine::{Event, Rules, Terms};
use flash_queue::store::{Attached, JobStore, Listing, NewJob};
use flash_queue::{Limits, Payload, Store, StoreError};
use tempfile::TempDir;

use crate::conformance;

const TERMS: Terms = Terms {
    execution_timeout: Duration::from_secs(600),
    ttl: Duration::from_secs(86_400),
    retention: Duration::from_secs(1_800),
    low_priority: false,
};

fn t(millis: u64) -> Timestamp {
    Timestamp::from_millis(1_000_000 + millis)
}

fn payload(text: &str) -> Payload {
    Payload::from_json(text).unwrap()
}

fn job(n: u64) -> NewJob {
    let input = payload(&format!("\"input {n}\""));
    NewJob { id: JobId::from(format!("j{n}")), input: Some(input), attached: None, terms: TERMS }
}

/// Survives what these tests do, and is quicker than a sync for each operation.
fn quick() -> SqliteOptions {
    SqliteOptions::new().durability(Durability::Process)
}

async fn jobs(store: &SqliteStore) -> Arc<dyn JobStore> {
    store.open(&EndpointId::from("ep"), Rules::from(&Limits::default())).await.unwrap()
}

/// A copy of the files as they are: what a killed process leaves.
pub(crate) fn killed(dir: &Path) -> TempDir {
    let to = tempfile::tempdir().unwrap();
    copy(dir, to.path());
    to
}

fn copy(dir: &Path, to: &Path) {
    for file in std::fs::read_dir(dir).unwrap() {
        let file = file.unwrap();
        let to = to.join(file.file_name());
        if file.file_type().unwrap().is_dir() {
            std::fs::create_dir(&to).unwrap();
            copy(&file.path(), &to);
        // The shared memory of a process that is gone means nothing, and the next one builds it again.
        } else if file.file_name() != "flash.db-shm" {
            std::fs::copy(file.path(), to).unwrap();
        }
    }
}

/// Changes one byte of the first place in a file that reads so.
fn damage(path: &Path, text: &str) {
    let bytes = std::fs::read(path).unwrap();
    let at = bytes.windows(text.len()).rposition(|window| window == text.as_bytes()).unwrap();
    let file = OpenOptions::new().write(true).open(path).unwrap();
    file.write_all_at(&[bytes[at] ^ 1], at as u64).unwrap();
}

#[tokio::test]
async fn it_does_what_every_store_must_do() {
    let dir = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(dir.path(), quick()).unwrap();
    conformance::passes(&store).await;
    conformance::does_what_its_model_does(&store, conformance::scaled(100), 50).await;
}

#[tokio::test]
async fn everything_is_there_after_a_kill() {
    let dir = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(dir.path(), SqliteOptions::new()).unwrap();
    let first = jobs(&store).await;
    let hooked = Attached { webhook: Some("http://h/".to_owned()), ..Attached::default() };
    for n in 0..6 {
        first.insert(NewJob { attached: Some(Arc::new(hooked.clone())), ..job(n) }, t(n)).await.unwrap();
    }
    let w = WorkerId::from("w");
    first.claim(&w, 3, t(10)).await.unwrap();
    first.push_chunk(&w, &"j0".into(), payload("7"), 100).await.unwrap();
    first.step(&"j1".into(), Event::Completed(&w, Some(payload("{\"a\": 1}"))), t(11)).await.unwrap();
    first.step(&"j4".into(), Event::Cancel, t(12)).await.unwrap();

    let copy = killed(dir.path());
    let store = SqliteStore::open(copy.path(), SqliteOptions::new()).unwrap();
    let second = jobs(&store).await;
    let counts = second.counts().await.unwrap();
    assert_eq!((counts.in_queue, counts.in_progress, counts.completed, counts.busy_workers), (2, 2, 1, 1));
    for n in 0..6 {
        let id = JobId::from(format!("j{n}"));
        let (before, after) =
            (first.view(&id).await.unwrap().unwrap(), second.view(&id).await.unwrap().unwrap());
        assert_eq!((before.state, before.input), (after.state, after.input));
        assert_eq!((before.job.output, before.webhook), (after.job.output, after.webhook));
    }
    assert_eq!(second.next_due().await.unwrap(), first.next_due().await.unwrap());
    let drained = second.drain_chunks(&"j0".into()).await.unwrap().unwrap();
    assert_eq!(drained.chunks, [payload("7")]);
    let webhooks: Vec<_> = second.webhooks().await.unwrap().into_iter().map(|webhook| webhook.id).collect();
    assert_eq!(webhooks, ["j1", "j4"], "what was not called to the end is called");
    second.settle_webhook(&"j1".into()).await.unwrap();
    assert_eq!(second.webhooks().await.unwrap().len(), 1);
    // The lost worker's jobs come first, the others keep their order.
    second.lose(&w, t(20)).await.unwrap();
    let taken = second.claim(&"v".into(), 9, t(21)).await.unwrap().jobs;
    let ids: Vec<_> = taken.iter().map(|job| job.id.as_str()).collect();
    assert_eq!(ids, ["j0", "j2", "j3", "j5"]);
}

#[tokio::test]
async fn a_second_platform_is_refused_until_the_first_is_gone() {
    let dir = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(dir.path(), quick()).unwrap();
    let error = SqliteStore::open(dir.path(), quick()).unwrap_err();
    let text = error.to_string();
    assert!(matches!(error, DataError::InUse { .. }), "{text}");
    assert!(
        text.contains(&format!("process {}", std::process::id())) && text.contains("help: stop"),
        "{text}"
    );
    assert!(matches!(repair(dir.path()), Err(DataError::InUse { .. })));
    store.close().await;
    let error = jobs_error(&store).await;
    assert!(error.to_string().contains("closed"), "{error}");
    SqliteStore::open(dir.path(), quick()).unwrap();
}

#[test]
fn what_is_kept_is_nobody_elses_business() {
    use std::os::unix::fs::PermissionsExt;
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("a/b");
    SqliteStore::open(&data, quick()).unwrap();
    assert_eq!(std::fs::metadata(&data).unwrap().permissions().mode() & 0o777, 0o700);
}

async fn jobs_error(store: &SqliteStore) -> StoreError {
    store.open(&EndpointId::from("ep"), Rules::from(&Limits::default())).await.unwrap_err()
}

#[tokio::test]
async fn a_bad_last_frame_of_the_log_is_not_taken_for_a_shorter_log() {
    let dir = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(dir.path(), SqliteOptions::new()).unwrap();
    let there = jobs(&store).await;
    for n in 0..5 {
        there.insert(job(n), t(n)).await.unwrap();
    }
    let copy = killed(dir.path());
    let log = copy.path().join("flash.db-wal");
    let end = std::fs::metadata(&log).unwrap().len();
    let file = OpenOptions::new().read(true).write(true).open(&log).unwrap();
    let mut byte = [0];
    file.read_exact_at(&mut byte, end - 100).unwrap();
    file.write_all_at(&[byte[0] ^ 1], end - 100).unwrap();

    let error = SqliteStore::open(copy.path(), SqliteOptions::new()).unwrap_err();
    let text = error.to_string();
    assert!(matches!(error, DataError::Behind { lost: 1, .. }), "{text}");
    assert!(text.contains("lost the last 1 commits") && text.contains("flash platform repair"), "{text}");
    let repaired = repair(copy.path()).unwrap();
    assert_eq!((repaired.lost_commits, repaired.jobs, repaired.damaged), (1, 4, vec![]));
    let store = SqliteStore::open(copy.path(), SqliteOptions::new()).unwrap();
    assert_eq!(jobs(&store).await.counts().await.unwrap().in_queue, 4);
}

#[tokio::test]
async fn a_database_of_the_first_format_goes_on() {
    let dir = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(dir.path(), quick()).unwrap();
    jobs(&store).await.insert(job(0), t(0)).await.unwrap();
    store.close().await;
    let db = rusqlite::Connection::open(dir.path().join("flash.db")).unwrap();
    db.execute_batch(
        "CREATE TABLE meta (id INTEGER PRIMARY KEY CHECK (id = 0), commits INTEGER NOT NULL);
         INSERT INTO meta SELECT 0, completed FROM endpoint WHERE no = 0;
         DELETE FROM endpoint WHERE no = 0; PRAGMA user_version = 1;",
    )
    .unwrap();
    drop(db);
    for _ in 0..2 {
        let store = SqliteStore::open(dir.path(), SqliteOptions::new()).unwrap();
        let there = jobs(&store).await;
        assert_eq!(there.read(&"j0".into()).await.unwrap().unwrap().status, JobStatus::InQueue);
        there.push_chunk(&"w".into(), &"j0".into(), payload("1"), 9).await.unwrap();
        store.close().await;
    }
}

#[tokio::test]
async fn who_agreed_to_lose_the_last_commits_is_told_and_goes_on() {
    let dir = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(dir.path(), quick()).unwrap();
    jobs(&store).await.insert(job(0), t(0)).await.unwrap();
    let copy = killed(dir.path());
    std::fs::remove_file(copy.path().join("flash.db-wal")).unwrap();
    SqliteStore::open(copy.path(), quick()).unwrap();
    SqliteStore::open(copy.path(), SqliteOptions::new()).unwrap();
}

#[tokio::test]
async fn a_changed_byte_is_told_and_never_handed_out() {
    let dir = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(dir.path(), quick()).unwrap();
    let there = jobs(&store).await;
    for n in 0..3 {
        there.insert(job(n), t(n)).await.unwrap();
    }
    drop(there);
    store.close().await;
    // The payload of one job, and the record of another.
    let file = dir.path().join("flash.db");
    damage(&file, "\"input 0\"");
    damage(&file, "j1IN_QUEUE");

    let store = SqliteStore::open(dir.path(), quick()).unwrap();
    let there = jobs(&store).await;
    let taken = there.claim(&"w".into(), 9, t(10)).await.unwrap().jobs;
    assert_eq!(taken.iter().map(|job| job.id.as_str()).collect::<Vec<_>>(), ["j2"]);
    let counts = there.counts().await.unwrap();
    assert_eq!(
        (counts.in_queue, counts.in_progress, counts.failed),
        (0, 1, 1),
        "none of them waits any more"
    );
    let failed = there.read(&"j0".into()).await.unwrap().unwrap();
    assert_eq!(failed.status, JobStatus::Failed);
    assert!(failed.error.is_some_and(|error| error.contains("input of job \"j0\" is damaged")));
    let error = there.read(&"j1".into()).await.unwrap_err();
    assert!(matches!(&error, StoreError::Damaged(_)), "{error}");
    let error = there.view(&"j0".into()).await.unwrap_err();
    assert!(matches!(&error, StoreError::Damaged(what) if what.contains("input of job \"j0\"")), "{error}");
    drop(there);
    store.close().await;
    let repaired = repair(dir.path()).unwrap();
    assert_eq!((repaired.jobs, repaired.damaged.len()), (1, 2));
    let store = SqliteStore::open(dir.path(), quick()).unwrap();
    let there = jobs(&store).await;
    assert!(there.view(&"j0".into()).await.unwrap().is_none());
    assert_eq!(there.counts().await.unwrap().in_progress, 1);
}

#[tokio::test]
async fn values_of_another_type_are_damage_of_one_job() {
    for column in ["status", "place", "submitted", "worker", "id", "low_priority", "sum"] {
        let dir = tempfile::tempdir().unwrap();
        let store = SqliteStore::open(dir.path(), quick()).unwrap();
        let there = jobs(&store).await;
        for n in 0..4 {
            there.insert(job(n), t(n)).await.unwrap();
        }
        let w = WorkerId::from("w");
        there.claim(&w, 2, t(5)).await.unwrap();
        drop(there);
        store.close().await;
        let db = rusqlite::Connection::open(dir.path().join("flash.db")).unwrap();
        // One that a worker has, and one that waits.
        let damage = format!("UPDATE job SET {column} = CAST(x'ff' || seq AS BLOB) WHERE id IN ('j0', 'j2')");
        assert_eq!(db.execute(&damage, []).unwrap(), 2);
        drop(db);

        for life in 0..2 {
            let store = SqliteStore::open(dir.path(), quick()).unwrap();
            let there = jobs(&store).await;
            there.lose(&w, t(6)).await.unwrap();
            let taken = there.claim(&"v".into(), 9, t(7)).await.unwrap().jobs;
            let expected: &[&str] = if life == 0 { &["j1", "j3"] } else { &[] };
            assert_eq!(taken.iter().map(|job| job.id.as_str()).collect::<Vec<_>>(), expected, "{column}");
            let counts = there.counts().await.unwrap();
            assert_eq!((counts.in_queue, counts.in_progress), (0, 2), "{column}, life {life}");
            let listed = there.list(Listing::default()).await.unwrap();
            assert_eq!(listed.len(), 2, "{column}");
            drop(there);
            store.close().await;
        }
        assert_eq!(repair(dir.path()).unwrap().jobs, 2, "{column}");
    }
}

#[tokio::test]
async fn a_file_that_is_no_database_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("flash.db"), "not a database".repeat(1_000)).unwrap();
    let error = SqliteStore::open(dir.path(), quick()).unwrap_err();
    assert!(
        matches!(error, DataError::Damaged { .. }) && error.to_string().contains("platform repair"),
        "{error}"
    );
    // A page in the middle of a real one.
    let dir = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(dir.path(), quick()).unwrap();
    let there = jobs(&store).await;
    for n in 0..200 {
        there.insert(job(n), t(n)).await.unwrap();
    }
    drop(there);
    store.close().await;
    let file = OpenOptions::new().write(true).open(dir.path().join("flash.db")).unwrap();
    file.write_all_at(&[0xff; 4096], 8 * 4096).unwrap();
    let error = SqliteStore::open(dir.path(), quick()).unwrap_err();
    assert!(matches!(error, DataError::Damaged { .. }), "{error}");
}

#[tokio::test]
async fn a_full_disk_is_told_and_loses_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(dir.path(), quick().max_bytes(600_000)).unwrap();
    let there = jobs(&store).await;
    let big = payload(&format!("\"{}\"", "x".repeat(50_000)));
    let mut accepted = 0;
    let error = loop {
        match there.insert(NewJob { input: Some(big.clone()), ..job(accepted) }, t(0)).await {
            Ok(_) => accepted += 1,
            Err(error) => break error,
        }
        assert!(accepted < 100);
    };
    assert!(matches!(&error, StoreError::Full(text) if text.contains("disk is full")), "{error}");
    assert_eq!(there.counts().await.unwrap().in_queue, accepted);
    // The place of what ends is used again.
    let w = WorkerId::from("w");
    let taken = there.claim(&w, 1, t(1)).await.unwrap().jobs;
    assert_eq!((taken[0].id.as_str(), taken[0].input.as_ref()), ("j0", Some(&big)));
    there.step(&"j0".into(), Event::Completed(&w, None), t(2)).await.unwrap();
    there.insert(NewJob { input: Some(big.clone()), ..job(1_000) }, t(3)).await.unwrap();
    assert_eq!(there.read(&"j1000".into()).await.unwrap().unwrap().status, JobStatus::InQueue);
    let taken = there.claim(&w, 200, t(4)).await.unwrap().jobs;
    assert_eq!(taken.len() as u64, accepted, "those that were accepted, and only those");
}

#[tokio::test]
async fn a_claim_for_nobody_goes_back() {
    use flash_core::clock::Clock;
    use flash_queue::{QueueOptions, Queues, Submission};
    let dir = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(dir.path(), quick()).unwrap();
    let queues = Queues::new(Arc::new(store), Clock::real(), Limits::default());
    let queue = queues.open("ep".into(), QueueOptions::new()).await.unwrap();
    let id = queue.submit(Submission::new(payload("1"))).await.unwrap();
    {
        let gone = WorkerId::from("gone");
        let mut take = std::pin::pin!(queue.take(&gone, 1, Duration::ZERO));
        // Asked once, which sends the claim, and then forgotten.
        let waker = std::task::Waker::noop();
        let polled = take.as_mut().poll(&mut std::task::Context::from_waker(waker));
        assert!(polled.is_pending());
    }
    let jobs = queue.take(&"w".into(), 1, Duration::from_secs(60)).await.unwrap();
    assert_eq!(jobs[0].id, id);
    assert_eq!(queue.status(&id).await.unwrap().retries, None, "it was never away");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_queue_that_is_opened_from_several_sides_is_one_queue() {
    let dir = tempfile::tempdir().unwrap();
    let store: Arc<dyn Store> = Arc::new(SqliteStore::open(dir.path(), quick()).unwrap());
    let queues = flash_queue::Queues::new(store, flash_core::clock::Clock::real(), Limits::default());
    for n in 0..8 {
        let id = EndpointId::from(format!("ep{n}"));
        let opening: Vec<_> = (0..8)
            .map(|_| {
                let (queues, id) = (queues.clone(), id.clone());
                tokio::spawn(async move { queues.open(id, flash_queue::QueueOptions::new()).await.unwrap() })
            })
            .collect();
        let mut opened = Vec::new();
        for queue in opening {
            opened.push(queue.await.unwrap());
        }
        opened[0].submit(flash_queue::Submission::new(payload("1"))).await.unwrap();
        for queue in opened {
            assert_eq!(queue.depth().await.unwrap().in_queue, 1);
        }
    }
}
