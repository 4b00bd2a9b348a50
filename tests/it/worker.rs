//! The queue worker against a server that records every byte and answers by script.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::response::Response;
use flash_core::boot::Boot;
use flash_core::clock::TestClock;
use flash_core::{App, Registry, Secret};
use flash_worker::Shutdown;
use flash_worker::queue::{QueueWorker, QueueWorkerError};
use serde_json::{Value, json};
use std::time::Duration;
use tokio::sync::Notify;
use tokio::task::JoinHandle;

/// What the server saw.
#[derive(Debug, Clone)]
struct Seen {
    target: String,
    authorization: String,
    body: Value,
}

/// A queue that hands out scripted jobs and answers posts with scripted statuses.
#[derive(Clone, Default)]
struct Script {
    jobs: Arc<Mutex<VecDeque<(u16, String)>>>,
    done: Arc<Mutex<VecDeque<u16>>>,
    seen: Arc<Mutex<Vec<Seen>>>,
    changed: Arc<Notify>,
    stops: Arc<Mutex<Vec<String>>>,
    stop_ready: Arc<Notify>,
}

impl Script {
    fn job(self, id: &str, input: &Value) -> Self {
        self.answer(200, &json!({"id": id, "input": input, "unknown": [1]}).to_string())
    }

    fn answer(self, status: u16, body: &str) -> Self {
        self.jobs.lock().unwrap().push_back((status, body.to_owned()));
        self
    }

    fn done_with(self, statuses: &[u16]) -> Self {
        self.done.lock().unwrap().extend(statuses);
        self
    }

    /// Tells the worker to stop a job.
    fn stop(&self, job: &str) {
        self.stops.lock().unwrap().push(job.to_owned());
        self.stop_ready.notify_one();
    }

    fn results(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().iter().filter(|seen| seen.target.contains("/job-done/")).cloned().collect()
    }

    /// Waits until that many results were posted.
    async fn results_at_least(&self, count: usize) -> Vec<Seen> {
        loop {
            let changed = self.changed.notified();
            let results = self.results();
            if results.len() >= count {
                return results;
            }
            changed.await;
        }
    }

    /// Waits until such a request came.
    async fn seen_at_least(&self, wanted: impl Fn(&Seen) -> bool) {
        loop {
            let changed = self.changed.notified();
            if self.seen.lock().unwrap().iter().any(&wanted) {
                return;
            }
            changed.await;
        }
    }

    async fn handle(State(script): State<Self>, request: Request) -> Response {
        let target = request.uri().to_string();
        let authorization = request.headers().get("authorization").map(|v| v.to_str().unwrap().to_owned());
        let body = axum::body::to_bytes(request.into_body(), usize::MAX).await.unwrap();
        script.seen.lock().unwrap().push(Seen {
            target: target.clone(),
            authorization: authorization.unwrap_or_default(),
            body: serde_json::from_slice(&body).unwrap_or(Value::Null),
        });
        script.changed.notify_waiters();
        let (status, body) = if target.contains("/job-take") {
            let next = script.jobs.lock().unwrap().pop_front();
            match next {
                Some(answer) => answer,
                // Held open, as the platform does; the worker drops it when it stops.
                None => std::future::pending().await,
            }
        } else if target.contains("/job-stop/") {
            let stops = std::mem::take(&mut *script.stops.lock().unwrap());
            if stops.is_empty() {
                script.stop_ready.notified().await;
            }
            let stops = [stops, std::mem::take(&mut *script.stops.lock().unwrap())].concat();
            (200, json!({"jobsToStop": stops}).to_string())
        } else if target.contains("/job-done/") {
            (script.done.lock().unwrap().pop_front().unwrap_or(200), String::new())
        } else {
            (200, String::new())
        };
        Response::builder()
            .status(status)
            .header("content-type", "application/json")
            .body(Body::from(body))
            .unwrap()
    }
}

struct Running {
    script: Script,
    shutdown: Shutdown,
    worker: JoinHandle<Result<(), QueueWorkerError>>,
    clock: TestClock,
}

impl Running {
    async fn start(endpoint: &str, script: Script) -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}/v2/e", listener.local_addr().unwrap());
        let router = Router::new().fallback(Script::handle).with_state(script.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        let mut boot = Boot::default();
        boot.worker_id = Some("pod-1".to_owned());
        // Time runs as fast as the tests advance it, and functions do not.
        boot.grace = Duration::from_secs(1_000_000);
        boot.worker_key = Secret::new("fake-worker-key");
        boot.jobs.take = Some(format!("{base}/job-take/$ID?gpu=x"));
        boot.jobs.done = Some(format!("{base}/job-done/$RUNPOD_POD_ID/$ID?gpu=x"));
        boot.jobs.ping = Some(format!("{base}/ping/$RUNPOD_POD_ID?gpu=x"));
        let _ = &flash_tests::ECHO;
        let clock = TestClock::new();
        let app = App::new(Registry::linked().unwrap()).with_clock(clock.clock());
        let endpoint = app.registry().resource(endpoint).unwrap();
        let shutdown = Shutdown::new();
        let worker = tokio::spawn(QueueWorker::new(app, endpoint, boot).run(shutdown.clone()));
        Self { script, shutdown, worker, clock }
    }

    /// Lets the worker finish, and gives what was posted.
    async fn stop(self) -> Vec<Seen> {
        self.shutdown.start();
        // The worker gives an answer that is on its way a moment to arrive.
        while !self.worker.is_finished() {
            self.clock.advance(Duration::from_millis(10)).await;
            tokio::task::yield_now().await;
        }
        self.worker.await.unwrap().unwrap();
        self.script.results()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn takes_runs_and_posts_as_the_protocol_says() {
    let script = Script::default().job("j1", &json!({"text": "ä", "times": 2}));
    let running = Running::start("echo", script).await;
    running.script.results_at_least(1).await;
    let seen = running.script.seen.lock().unwrap().clone();
    let take = seen.iter().find(|seen| seen.target.contains("/job-take")).unwrap();
    // `echo` has four slots, and all are free.
    assert_eq!(take.target, "/v2/e/job-take-batch/pod-1?gpu=x&batch_size=4&job_in_progress=0");
    let ping = seen.iter().find(|seen| seen.target.contains("/ping/")).unwrap();
    assert!(ping.target.starts_with("/v2/e/ping/pod-1?gpu=x&runpod_version="), "{}", ping.target);
    // The queue wants the bare key, without `Bearer`.
    assert!(seen.iter().all(|seen| seen.authorization == "fake-worker-key"), "{seen:?}");
    let results = running.stop().await;
    assert_eq!(results.len(), 1);
    assert_eq!(results[0].target, "/v2/e/job-done/pod-1/j1?gpu=x&isStream=false");
    assert_eq!(results[0].body, json!({"output": ["ää", null]}));
}

#[tokio::test(flavor = "multi_thread")]
async fn every_job_that_has_an_id_is_answered() {
    let script = Script::default()
        .job("bad", &json!({"text": 1}))
        .answer(200, r#"{"id": "no-input"}"#)
        .answer(200, r#"{"id": "null-input", "input": null}"#)
        .answer(200, r#"{"id": "list-input", "input": [1]}"#)
        .answer(200, "not json")
        .answer(204, "")
        .answer(400, "")
        .job("good", &json!({"text": "a"}));
    let running = Running::start("echo", script).await;
    // The queue answered 204 and 400 at once, so the worker makes a pause before it asks again.
    while running.script.results().len() < 5 {
        running.clock.advance(Duration::from_millis(100)).await;
        tokio::task::yield_now().await;
    }
    let results = running.stop().await;
    let of = |id: &str| {
        let all: Vec<_> = results.iter().filter(|seen| seen.target.contains(&format!("/{id}?"))).collect();
        assert_eq!(all.len(), 1, "{id}");
        all[0].body.clone()
    };
    for id in ["bad", "no-input", "null-input", "list-input"] {
        assert!(of(id)["error"].is_string(), "{id} {}", of(id));
    }
    assert_eq!(of("good"), json!({"output": ["a", null]}));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_result_is_offered_until_the_queue_takes_it() {
    let script = Script::default().job("j1", &json!({"text": "a"})).done_with(&[500, 503, 429, 200]);
    let running = Running::start("echo", script).await;
    while running.script.results().len() < 4 {
        running.clock.advance(Duration::from_millis(100)).await;
        tokio::task::yield_now().await;
    }
    let results = running.stop().await;
    assert_eq!(results.len(), 4);
    assert!(results.iter().all(|seen| seen.body == json!({"output": ["a", null]})));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_result_fails_the_job_with_the_reason() {
    let script = Script::default().job("j1", &json!({"text": "a"})).done_with(&[413, 200]);
    let running = Running::start("echo", script).await;
    let results = running.script.results_at_least(2).await;
    running.stop().await;
    let error = results[1].body["error"].as_str().unwrap();
    assert!(error.contains("result_too_large") && error.contains("413"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_finishes_the_running_job_and_delivers_it() {
    let script = Script::default().job("j1", &json!({"method": "block", "millis": 300}));
    let running = Running::start("mixed", script).await;
    // The worker says that it has the job, and therefore owes the result.
    running.script.seen_at_least(|seen| seen.target.ends_with("job_in_progress=1")).await;
    let results = running.stop().await;
    assert_eq!(results.len(), 1);
    assert_eq!(results[0].body, json!({"output": 300}));
}

#[tokio::test(flavor = "multi_thread")]
async fn no_more_jobs_are_taken_than_there_are_slots() {
    let mut script = Script::default();
    for n in 0..9 {
        script = script.job(&format!("j{n}"), &json!({"method": "block", "millis": 200}));
    }
    let running = Running::start("mixed", script).await;
    // `mixed` has 8 slots, so the ninth job waits for the first result.
    while running.script.jobs.lock().unwrap().len() > 1 {
        tokio::task::yield_now().await;
    }
    let results = running.script.results_at_least(1).await;
    assert!(!results.is_empty());
    let results = running.script.results_at_least(9).await;
    assert_eq!(running.stop().await.len(), results.len());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stopped_job_is_dropped_and_nothing_is_posted() {
    let mut script = Script::default();
    for n in 0..8 {
        let millis = if n == 3 { 600_000 } else { 200 };
        script = script.job(&format!("j{n}"), &json!({"method": "slow", "millis": millis}));
    }
    let running = Running::start("mixed", script).await;
    running.script.seen_at_least(|seen| seen.target.ends_with("job_in_progress=1")).await;
    running.script.stop("j3");
    running.script.stop("unknown");
    running.script.results_at_least(7).await;
    // The worker stops without waiting for ten minutes, so the job is gone.
    let results = running.stop().await;
    assert_eq!(results.len(), 7);
    assert!(results.iter().all(|seen| !seen.target.contains("/j3?")), "{results:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_blocking_function_hears_that_its_job_was_stopped() {
    let script = Script::default().job("j1", &json!({"method": "wait_for_stop", "deaf_millis": 0}));
    let running = Running::start("mixed", script).await;
    running.script.seen_at_least(|seen| seen.target.ends_with("job_in_progress=1")).await;
    running.script.stop("j1");
    // Its thread ends, or this would never come back.
    assert_eq!(running.stop().await.len(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deaf_blocking_function_keeps_its_slot() {
    let mut script = Script::default();
    for n in 0..8 {
        script = script.job(&format!("j{n}"), &json!({"method": "wait_for_stop", "deaf_millis": 400}));
    }
    script = script.job("late", &json!({"method": "block", "millis": 0}));
    let running = Running::start("mixed", script).await;
    while running.script.jobs.lock().unwrap().len() > 1 {
        tokio::task::yield_now().await;
    }
    for n in 0..8 {
        running.script.stop(&format!("j{n}"));
    }
    // All eight slots are taken by threads that go on, so the ninth job waits for one of them to end.
    let results = running.script.results_at_least(1).await;
    assert!(results[0].target.contains("/late?"), "{results:?}");
    assert_eq!(running.stop().await.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_result_is_the_last_word_of_a_job() {
    let script = Script::default().job("j1", &json!({"method": "report", "steps": 10_000}));
    let running = Running::start("mixed", script).await;
    running.script.seen_at_least(|seen| seen.body == json!({"output": "done"})).await;
    let posts = running.stop().await;
    let (last, before) = posts.split_last().unwrap();
    assert_eq!(last.body, json!({"output": "done"}));
    assert!(!before.is_empty());
    assert!(before.iter().all(|seen| seen.body["status"] == "IN_PROGRESS"), "{before:?}");
    // Later progress is newer.
    let steps: Vec<_> = before.iter().map(|seen| seen.body["output"].as_u64().unwrap()).collect();
    assert!(steps.is_sorted(), "{steps:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fatal_error_drains_the_worker_and_ends_it() {
    let script = Script::default()
        .job("slow", &json!({"method": "slow", "millis": 200}))
        .job("fatal", &json!({"method": "break_worker"}));
    let running = Running::start("mixed", script).await;
    running.script.results_at_least(2).await;
    while !running.worker.is_finished() {
        running.clock.advance(Duration::from_millis(10)).await;
        tokio::task::yield_now().await;
    }
    let error = running.worker.await.unwrap().unwrap_err();
    assert!(matches!(error, QueueWorkerError::Unhealthy(_)), "{error:?}");
    let seen = running.script.seen.lock().unwrap().clone();
    assert!(seen.iter().any(|seen| seen.target.contains("status=unhealthy") && seen.target.contains("GPU")));
    assert!(seen.iter().any(|seen| seen.body == json!({"output": 200})));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refresh_stops_the_pod_after_the_job() {
    let script = Script::default().job("j1", &json!({"method": "refresh"}));
    let running = Running::start("mixed", script).await;
    let results = running.script.results_at_least(1).await;
    assert_eq!(results[0].body, json!({"output": 1, "stopPod": true}));
    // It ends by itself.
    assert_eq!(running.stop().await.len(), 1);
}
