//! `kill -9` of the platform under load, again and again on one data directory.

#![allow(clippy::print_stdout, reason = "the platform tells its address to the test that started it")]

use std::collections::{BTreeMap, HashMap};
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use axum::body::Body;
use flash_local::{Kind, Limits, LocalPlatform};
use http::Request;
use serde_json::{Value, json};
use tokio::sync::watch;

use crate::conformance::scaled;
use crate::support::{Answer, try_send};

/// The data directory of the platform that is a process.
pub(crate) const DATA: &str = "CRASH_DATA";
/// What makes this test binary that platform.
pub(crate) const PLATFORM: [&str; 5] =
    ["--ignored", "--exact", "crash::platform", "--nocapture", "--test-threads=1"];
const JOBS: u64 = 500;
const KILLS_PER_LOAD: u64 = 4;

#[test]
#[ignore = "not a test: the platform that is killed"]
fn platform() {
    let Some(dir) = std::env::var_os(DATA) else { return };
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async {
        let limits = Limits {
            rate_limits: false,
            // A job whose take was lost with the platform is noticed quickly.
            lease: Duration::from_millis(400),
            take_hold: Duration::from_millis(100),
            ..Limits::default()
        };
        let platform = LocalPlatform::builder().limits(limits).data_dir(dir).start().await.unwrap();
        platform.declare("ep", Kind::Queue).await.unwrap();
        println!("\naddress {}", platform.endpoint_url("ep").unwrap());
        std::future::pending::<()>().await;
    });
}

pub(crate) struct Platform {
    child: Child,
    pub(crate) url: String,
}

impl Platform {
    fn start(dir: &Path) -> Self {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args(PLATFORM).env(DATA, dir);
        Self::of(command)
    }

    /// What a command starts, which ends with the platform.
    pub(crate) fn of(mut command: Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let url =
            lines.map_while(Result::ok).find_map(|line| Some(line.strip_prefix("address ")?.to_owned()));
        Self { child, url: url.expect("the platform starts on what it left") }
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    pub(crate) fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Platform {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What callers and workers know for certain, because they were answered.
#[derive(Default)]
struct Known {
    /// The jobs that were accepted, by what they were given.
    accepted: BTreeMap<u64, String>,
    /// When each result was acknowledged.
    acknowledged: HashMap<String, Instant>,
}

struct Load {
    known: Mutex<Known>,
    url: watch::Sender<String>,
    /// How many answers there were. Kills are timed by it.
    answers: watch::Sender<u64>,
    /// All jobs have ended.
    over: watch::Sender<bool>,
}

impl Load {
    /// Asks until there is an answer, from whichever platform is there.
    async fn ask(&self, method: &str, path: &str, key: Option<&str>, body: String) -> Answer {
        let mut url = self.url.subscribe();
        loop {
            let base = url.borrow_and_update().clone();
            let mut request = Request::builder().method(method).uri(format!("{base}{path}"));
            if let Some(key) = key {
                request = request.header("idempotency-key", key);
            }
            match try_send(request.body(Body::from(body.clone())).unwrap()).await {
                Ok(answer) => {
                    self.answers.send_modify(|answers| *answers += 1);
                    return answer;
                }
                // Killed. The next one tells its address when it is there.
                Err(_) => drop(tokio::time::timeout(Duration::from_millis(50), url.changed()).await),
            }
        }
    }

    async fn submit(&self, numbers: impl Iterator<Item = u64>) {
        for n in numbers {
            // A submit whose answer was lost is repeated under its key, and is the same job then.
            let body = json!({ "input": { "n": n, "text": "x".repeat(1_000) } }).to_string();
            let answer = self.ask("POST", "/run", Some(&format!("key-{n}")), body).await;
            assert_eq!(answer.status, 200, "{}", answer.body);
            let id = answer.body["id"].as_str().unwrap().to_owned();
            self.known.lock().unwrap().accepted.insert(n, id);
        }
    }

    async fn work(&self, name: &str) {
        let over = self.over.subscribe();
        let mut turn = 0_u32;
        while !*over.borrow() {
            turn += 1;
            let asked = Instant::now();
            let answer = self.ask("GET", &format!("/job-take/{name}?x=1"), None, String::new()).await;
            if answer.status == 200 {
                self.answer(name, &answer.body, asked).await;
            }
            // It has nothing now. What the platform thinks it has was lost on the way.
            if answer.status == 204 || turn.is_multiple_of(8) {
                self.ask("GET", &format!("/ping/{name}?x=1"), None, String::new()).await;
            }
        }
    }

    async fn answer(&self, name: &str, job: &Value, asked: Instant) {
        let id = job["id"].as_str().unwrap();
        if let Some(at) = self.known.lock().unwrap().acknowledged.get(id) {
            assert!(*at > asked, "job {id} ran again after its result was acknowledged");
        }
        let body = json!({ "output": { "n": job["input"]["n"] } }).to_string();
        let answer = self.ask("POST", &format!("/job-done/{name}/{id}"), None, body).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        self.known.lock().unwrap().acknowledged.entry(id.to_owned()).or_insert_with(Instant::now);
    }

    async fn status(&self, id: &str) -> Value {
        let answer = self.ask("GET", &format!("/status/{id}"), None, String::new()).await;
        assert_eq!(answer.status, 200, "an accepted job is gone: {id} {}", answer.body);
        answer.body
    }

    /// Waits until every job that was accepted has ended, and answers them.
    async fn ends(&self) -> BTreeMap<String, Value> {
        let accepted: Vec<String> = self.known.lock().unwrap().accepted.values().cloned().collect();
        let mut ends = BTreeMap::new();
        for id in accepted {
            let mut answers = self.answers.subscribe();
            let job = loop {
                let job = self.status(&id).await;
                if job["status"] != "IN_QUEUE" && job["status"] != "IN_PROGRESS" {
                    break job;
                }
                answers.borrow_and_update();
                answers.changed().await.unwrap();
            };
            ends.insert(id, job);
        }
        ends
    }
}

/// One load of jobs on one directory, with kills when so many answers have come.
async fn one_load(dir: PathBuf, seed: u64) {
    let mut platform = Platform::start(&dir);
    let load = Arc::new(Load {
        known: Mutex::default(),
        url: watch::Sender::new(platform.url.clone()),
        answers: watch::Sender::default(),
        over: watch::Sender::new(false),
    });
    let submitters: Vec<_> = (0..8)
        .map(|part| {
            let load = load.clone();
            tokio::spawn(async move { load.submit((0..JOBS).filter(|n| n % 8 == part)).await })
        })
        .collect();
    let workers: Vec<_> = (0..6)
        .map(|n| {
            let load = load.clone();
            tokio::spawn(async move { load.work(&format!("w{n}")).await })
        })
        .collect();

    let mut random = seed;
    for _ in 0..KILLS_PER_LOAD {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        // Three answers for each job, so most kills fall into the middle of it; some hit an idle platform.
        let target = *load.answers.borrow() + (random >> 33) % (JOBS * 3 / KILLS_PER_LOAD);
        load.answers.subscribe().wait_for(|answers| *answers >= target).await.unwrap();
        platform.kill();
        let dir = dir.clone();
        platform = tokio::task::spawn_blocking(move || Platform::start(&dir)).await.unwrap();
        load.url.send_replace(platform.url.clone());
    }
    for submitter in submitters {
        submitter.await.unwrap();
    }
    let ends = load.ends().await;
    load.over.send_replace(true);
    for worker in workers {
        worker.await.unwrap();
    }
    // And once more on a platform that was killed with nothing to do.
    platform.kill();
    let platform = tokio::task::spawn_blocking(move || Platform::start(&dir)).await.unwrap();
    load.url.send_replace(platform.url.clone());
    assert_eq!(load.ends().await, ends, "an end is an end (seed {seed})");
    verify(&load.known.lock().unwrap(), &ends, seed);
}

fn verify(known: &Known, ends: &BTreeMap<String, Value>, seed: u64) {
    assert_eq!(known.accepted.len() as u64, JOBS);
    assert_eq!(ends.len() as u64, JOBS, "each was accepted once (seed {seed})");
    for (n, id) in &known.accepted {
        let job = &ends[id];
        if job["status"] == "COMPLETED" {
            assert_eq!(job["output"], json!({ "n": n }), "seed {seed}: {job}");
            continue;
        }
        // Lost by its worker twice, each time with the platform, before anything was acknowledged.
        assert_eq!(job["error"], "job timed out after 1 retries", "seed {seed}: {job}");
        assert!(!known.acknowledged.contains_key(id), "seed {seed}: an acknowledged result is lost: {job}");
    }
    let completed = ends.values().filter(|job| job["status"] == "COMPLETED").count();
    assert!(completed as u64 > JOBS * 9 / 10, "seed {seed}: {completed}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_lost_and_nothing_runs_again_however_often_the_platform_is_killed() {
    let kills = scaled(200).max(KILLS_PER_LOAD);
    for seed in 0..kills.div_ceil(KILLS_PER_LOAD) {
        let dir = tempfile::tempdir().unwrap();
        one_load(dir.path().to_owned(), seed).await;
    }
}
