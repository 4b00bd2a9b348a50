//! The durable store without HTTP: against a plain group-commit loop over SQLite, and with many jobs queued. Prints one JSON
//! object.
//!
//! `--mode ours` and `--mode plain`: 64 clients, each inserts, takes and ends a job in a closed loop.
//! `--mode deep`: how long a take is with few jobs queued, and with `--depth` of them.

use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::{Duration, Instant};

use flash_benches::args::Args;
use flash_benches::latency::Latencies;
use flash_benches::process::Process;
use flash_core::clock::{Clock, Timestamp};
use flash_core::ids::{JobId, WorkerId};
use flash_local::{Durability, SqliteOptions, SqliteStore};
use flash_queue::machine::{Event, Rules, Terms};
use flash_queue::store::{JobStore, NewJob};
use flash_queue::{Limits, Payload, Store};
use rusqlite::Connection;
use serde_json::{Value, json};
use tokio::sync::oneshot;
use tokio::task::JoinSet;

type Error = Box<dyn std::error::Error + Send + Sync>;

const CLIENTS: usize = 64;
const TERMS: Terms = Terms {
    execution_timeout: Duration::from_secs(600),
    ttl: Duration::from_secs(86_400),
    retention: Duration::from_secs(1_800),
    low_priority: false,
};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let args = Args::of_process();
    let dir: String = args.required("dir")?;
    let window = Duration::from_millis(args.optional("window-ms")?.unwrap_or(1_000));
    let full = args.optional::<bool>("full")?.unwrap_or(true);
    let mode: String = args.required("mode")?;
    let report = match mode.as_str() {
        "ours" => ours(Path::new(&dir), full, window).await?,
        "plain" => plain(Path::new(&dir), full, window).await?,
        "deep" => deep(Path::new(&dir), args.required("depth")?).await?,
        other => return Err(format!("no mode `{other}`").into()),
    };
    print(&report);
    Ok(())
}

#[expect(clippy::print_stdout, reason = "the result of this program")]
fn print(report: &Value) {
    println!("{report}");
}

fn payload() -> Result<Payload, Error> {
    Ok(Payload::from_json(format!("\"{}\"", "x".repeat(198)))?)
}

async fn open(dir: &Path, durability: Durability) -> Result<(SqliteStore, Arc<dyn JobStore>), Error> {
    let store = SqliteStore::open(dir, SqliteOptions::new().durability(durability))?;
    let jobs = store.open(&"bench".into(), Rules::from(&Limits::default())).await?;
    Ok((store, jobs))
}

fn job(input: Payload) -> NewJob {
    NewJob { id: JobId::random(), input: Some(input), attached: None, terms: TERMS }
}

/// Runs clients until the window is over. Answers jobs per second.
async fn clients<F>(window: Duration, client: impl Fn(usize, Instant) -> F) -> Result<Value, Error>
where
    F: Future<Output = Result<u64, Error>> + Send + 'static,
{
    let before = Process::new(std::process::id()).cpu_ns()?;
    let began = Instant::now();
    let until = began + window;
    let mut running = JoinSet::new();
    for n in 0..CLIENTS {
        running.spawn(client(n, until));
    }
    let mut done = 0;
    while let Some(client) = running.join_next().await {
        done += client??;
    }
    let cpu = Process::new(std::process::id()).cpu_ns()? - before;
    let rate = done as f64 / began.elapsed().as_secs_f64();
    Ok(json!({ "jobs_per_second": rate, "cpu_us": cpu as f64 / 1_000.0 / done.max(1) as f64 }))
}

async fn ours(dir: &Path, full: bool, window: Duration) -> Result<Value, Error> {
    let (store, jobs) = open(dir, if full { Durability::Full } else { Durability::Process }).await?;
    let (input, clock) = (payload()?, Clock::real());
    let report = clients(window, |n, until| {
        let (jobs, input, clock) = (jobs.clone(), input.clone(), clock.clone());
        async move {
            let worker = WorkerId::from(format!("w{n}"));
            let mut done = 0;
            while Instant::now() < until {
                jobs.insert(job(input.clone()), clock.now()).await?;
                for taken in jobs.claim(&worker, 1, clock.now()).await?.jobs {
                    jobs.step(&taken.id, Event::Completed(&worker, taken.input), clock.now()).await?;
                    done += 1;
                }
            }
            Ok(done)
        }
    })
    .await;
    store.close().await;
    report
}

/// A take is measured with its commit, but without the disk's sync, which would hide everything else.
async fn deep(dir: &Path, depth: usize) -> Result<Value, Error> {
    let (store, jobs) = open(dir, Durability::Process).await?;
    let input = Payload::from_json(format!("\"{}\"", "x".repeat(1_022)))?;
    let now = Clock::real().now();
    fill(&jobs, &input, 5_000, now).await?;
    let shallow = takes(&jobs, now).await?;
    fill(&jobs, &input, depth, now).await?;
    let deep = takes(&jobs, now).await?;
    store.close().await;
    Ok(json!({ "shallow_us": shallow, "deep_us": deep }))
}

async fn fill(jobs: &Arc<dyn JobStore>, input: &Payload, count: usize, now: Timestamp) -> Result<(), Error> {
    let mut running = JoinSet::new();
    for _ in 0..count {
        let inserted = jobs.insert(job(input.clone()), now);
        running.spawn(inserted);
        if running.len() >= 1_024
            && let Some(inserted) = running.join_next().await
        {
            inserted??;
        }
    }
    while let Some(inserted) = running.join_next().await {
        inserted??;
    }
    Ok(())
}

/// The median time of a take in microseconds; each job is ended, and one is put in its place.
async fn takes(jobs: &Arc<dyn JobStore>, now: Timestamp) -> Result<f64, Error> {
    let (worker, input) = (WorkerId::from("w"), payload()?);
    let mut latencies = Latencies::default();
    for _ in 0..3_000 {
        let began = Instant::now();
        let taken = jobs.claim(&worker, 1, now).await?.jobs;
        latencies.record(began.elapsed());
        for job in taken {
            jobs.step(&job.id, Event::Completed(&worker, None), now).await?;
        }
        jobs.insert(job(input.clone()), now).await?;
    }
    Ok(latencies.percentile_us(0.5))
}

/// One step of a job for the plain loop.
enum Step {
    Insert(String, String),
    Take,
    End(i64),
}

type Asked = (Step, oneshot::Sender<Option<i64>>);

/// The least that a durable queue over SQLite can be: one table, one thread, one commit for all that wait.
async fn plain(dir: &Path, full: bool, window: Duration) -> Result<Value, Error> {
    let db = Connection::open(dir.join("plain.db"))?;
    let _: String = db.query_row("PRAGMA journal_mode = WAL", [], |row| row.get(0))?;
    db.pragma_update(None, "synchronous", if full { "FULL" } else { "NORMAL" })?;
    db.execute_batch(
        "CREATE TABLE job (seq INTEGER PRIMARY KEY, id TEXT, status INTEGER NOT NULL, input TEXT NOT NULL);\
         CREATE INDEX queued ON job (seq) WHERE status = 0;",
    )?;
    let (sender, asked): (Sender<Asked>, Receiver<Asked>) = channel();
    let writer = std::thread::spawn(move || write(&db, &asked));
    let input = payload()?;
    let report = clients(window, |_, until| {
        let (sender, input) = (sender.clone(), input.clone());
        let ask = move |step| {
            let (reply, answer) = oneshot::channel();
            let sent = sender.send((step, reply));
            async move {
                sent?;
                Ok::<_, Error>(answer.await?)
            }
        };
        async move {
            let mut done = 0;
            while Instant::now() < until {
                ask(Step::Insert(JobId::random().to_string(), input.get().to_owned())).await?;
                if let Some(seq) = ask(Step::Take).await? {
                    ask(Step::End(seq)).await?;
                    done += 1;
                }
            }
            Ok(done)
        }
    })
    .await;
    drop(sender);
    writer.join().map_err(|_| "the writer panicked")??;
    report
}

fn write(db: &Connection, asked: &Receiver<Asked>) -> Result<(), rusqlite::Error> {
    while let Ok(first) = asked.recv() {
        db.prepare_cached("BEGIN IMMEDIATE")?.execute([])?;
        let mut answers = Vec::new();
        let mut next = Some(first);
        while let Some((step, reply)) = next {
            let answer = match step {
                Step::Insert(id, input) => {
                    db.prepare_cached("INSERT INTO job (id, status, input) VALUES (?1, 0, ?2)")?
                        .execute((id, input))?;
                    None
                }
                Step::Take => {
                    let mut take = db.prepare_cached(
                        "UPDATE job SET status = 1 WHERE seq = (SELECT seq FROM job WHERE status = 0 ORDER BY seq LIMIT 1) \
                         RETURNING seq, input",
                    )?;
                    let mut rows =
                        take.query_map([], |row| Ok((row.get::<_, i64>(0)?, row.get::<_, String>(1)?)))?;
                    rows.next().transpose()?.map(|(seq, _)| seq)
                }
                Step::End(seq) => {
                    db.prepare_cached("DELETE FROM job WHERE seq = ?1")?.execute([seq])?;
                    None
                }
            };
            answers.push((reply, answer));
            next = if answers.len() < 1_024 { asked.try_recv().ok() } else { None };
        }
        db.prepare_cached("COMMIT")?.execute([])?;
        for (reply, answer) in answers {
            // Who does not wait any more does not need it.
            let _ = reply.send(answer);
        }
    }
    Ok(())
}
