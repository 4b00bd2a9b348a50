//! A queue that records every request and answers by script, and a worker in front of it whose time the test moves.
//!
//! The queue has a thread of its own, so that nothing that a function does to the runtime keeps it from answering.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::response::Response;
use flash_core::boot::Boot;
use flash_core::clock::{TestClock, Timestamp};
use flash_core::{App, Registry, Secret};
use flash_worker::Shutdown;
use flash_worker::queue::{QueueWorker, QueueWorkerError};
use serde_json::{Value, json};
use tokio::net::TcpSocket;
use tokio::sync::{Notify, Semaphore};
use tokio::task::JoinHandle;

/// No pause that a worker makes is longer.
pub(crate) const PAUSE: Duration = Duration::from_secs(12);

/// What the queue saw.
#[derive(Debug, Clone)]
pub(crate) struct Seen {
    pub(crate) target: String,
    pub(crate) authorization: String,
    pub(crate) body: Value,
}

impl Seen {
    pub(crate) fn is_result_of(&self, job: &str) -> bool {
        self.target.contains("/job-done/") && self.target.contains(&format!("/{job}?"))
    }

    /// The job that a post is about.
    pub(crate) fn job(&self) -> Option<&str> {
        self.target.split('?').next()?.rsplit('/').next()
    }

    pub(crate) fn is_progress(&self) -> bool {
        self.body["status"] == "IN_PROGRESS"
    }
}

/// How a post is answered.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Answer {
    Status(u16),
    /// Not at all.
    Never,
}

/// A queue that hands out scripted jobs and answers posts by script.
#[derive(Clone)]
pub(crate) struct Script {
    pub(crate) jobs: Arc<Mutex<VecDeque<(u16, String)>>>,
    job_ready: Arc<Notify>,
    done: Arc<Mutex<VecDeque<Answer>>>,
    /// What every post gets when the script is at its end.
    pub(crate) otherwise: Arc<Mutex<Answer>>,
    stream: Arc<Mutex<VecDeque<Answer>>>,
    pub(crate) seen: Arc<Mutex<Vec<Seen>>>,
    /// How many results were posted that are no progress.
    ended: Arc<AtomicUsize>,
    pub(crate) changed: Arc<Notify>,
    stops: Arc<Mutex<Vec<String>>>,
    stop_ready: Arc<Notify>,
    /// One permit lets one item of a stream through.
    pub(crate) stream_gate: Arc<Semaphore>,
    /// Whether posts are answered after a few turns of the queue's thread, another number for each.
    is_irregular: bool,
}

impl Default for Script {
    fn default() -> Self {
        Self {
            jobs: Arc::default(),
            job_ready: Arc::default(),
            done: Arc::default(),
            otherwise: Arc::new(Mutex::new(Answer::Status(200))),
            stream: Arc::default(),
            seen: Arc::default(),
            ended: Arc::default(),
            changed: Arc::default(),
            stops: Arc::default(),
            stop_ready: Arc::default(),
            stream_gate: Arc::new(Semaphore::new(Semaphore::MAX_PERMITS)),
            is_irregular: false,
        }
    }
}

impl Script {
    pub(crate) fn job(self, id: &str, input: &Value) -> Self {
        self.answer(200, &json!({"id": id, "input": input, "unknown": [1]}).to_string())
    }

    pub(crate) fn answer(self, status: u16, body: &str) -> Self {
        self.jobs.lock().unwrap().push_back((status, body.to_owned()));
        self
    }

    pub(crate) fn done_with(self, answers: impl IntoIterator<Item = Answer>) -> Self {
        self.done.lock().unwrap().extend(answers);
        self
    }

    pub(crate) fn done_with_status(self, statuses: &[u16]) -> Self {
        self.done_with(statuses.iter().map(|status| Answer::Status(*status)))
    }

    pub(crate) fn stream_with(self, answers: impl IntoIterator<Item = Answer>) -> Self {
        self.stream.lock().unwrap().extend(answers);
        self
    }

    pub(crate) fn irregular(self) -> Self {
        Self { is_irregular: true, ..self }
    }

    /// Items of streams wait at the gate.
    pub(crate) fn gated(self) -> Self {
        Self { stream_gate: Arc::new(Semaphore::new(0)), ..self }
    }

    /// Hands out another job later.
    pub(crate) fn add(&self, id: &str, input: &Value) {
        self.jobs.lock().unwrap().push_back((200, json!({"id": id, "input": input}).to_string()));
        self.job_ready.notify_one();
    }

    /// Held open until there is one, as the platform does; the worker drops it when it stops.
    async fn next_job(&self) -> (u16, String) {
        loop {
            let ready = self.job_ready.notified();
            let next = self.jobs.lock().unwrap().pop_front();
            if let Some(job) = next {
                self.changed.notify_waiters();
                return job;
            }
            ready.await;
        }
    }

    /// Tells the worker to stop a job.
    pub(crate) fn stop(&self, job: &str) {
        self.stops.lock().unwrap().push(job.to_owned());
        self.stop_ready.notify_one();
    }

    /// Held open until there are some. An answer without any would have the worker sleep, while its clock stands still.
    async fn next_stops(&self) -> Vec<String> {
        loop {
            let ready = self.stop_ready.notified();
            let stops = std::mem::take(&mut *self.stops.lock().unwrap());
            if !stops.is_empty() {
                return stops;
            }
            ready.await;
        }
    }

    pub(crate) fn all(&self, wanted: impl Fn(&Seen) -> bool) -> Vec<Seen> {
        self.seen.lock().unwrap().iter().filter(|seen| wanted(seen)).cloned().collect()
    }

    pub(crate) fn results(&self) -> Vec<Seen> {
        self.all(|seen| seen.target.contains("/job-done/"))
    }

    /// How many results were posted that are no progress.
    pub(crate) fn ended(&self) -> usize {
        self.ended.load(Ordering::SeqCst)
    }

    /// The one result of a job.
    pub(crate) fn result_of(&self, job: &str) -> Value {
        let results = self.all(|seen| seen.is_result_of(job) && !seen.is_progress());
        assert_eq!(results.len(), 1, "{job}: {results:?}");
        results[0].body.clone()
    }

    pub(crate) fn items_of(&self, job: &str) -> Vec<Value> {
        let items = self
            .all(|seen| seen.target.contains("/job-stream/") && seen.target.contains(&format!("/{job}?")));
        items.into_iter().map(|seen| seen.body["output"].clone()).collect()
    }

    /// Waits until that many results were posted.
    pub(crate) async fn results_at_least(&self, count: usize) -> Vec<Seen> {
        self.until(|script| script.results().len() >= count).await;
        self.results()
    }

    /// Waits until such a request came.
    pub(crate) async fn seen_at_least(&self, wanted: impl Fn(&Seen) -> bool) {
        self.until(|script| script.seen.lock().unwrap().iter().any(&wanted)).await;
    }

    pub(crate) async fn until(&self, reached: impl Fn(&Self) -> bool) {
        loop {
            let changed = self.changed.notified();
            if reached(self) {
                return;
            }
            changed.await;
        }
    }

    /// Serves on a free port, on a thread of its own, for as long as the process lives.
    pub(crate) fn serve(&self) -> SocketAddr {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let address = listener.local_addr().unwrap();
        self.serve_on(|| tokio::net::TcpListener::from_std(listener).unwrap());
        address
    }

    /// Serves on a socket that is bound already; until then it refuses every connection.
    pub(crate) fn serve_late(&self, socket: TcpSocket) {
        self.serve_on(|| socket.listen(64).unwrap());
    }

    fn serve_on(&self, listener: impl FnOnce() -> tokio::net::TcpListener + Send + 'static) {
        let router = Router::new().fallback(Self::handle).with_state(self.clone());
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async { axum::serve(listener(), router).await.unwrap() });
        });
    }

    async fn handle(State(script): State<Self>, request: Request) -> Response {
        let target = request.uri().to_string();
        let authorization = request.headers().get("authorization").map(|v| v.to_str().unwrap().to_owned());
        let body = axum::body::to_bytes(request.into_body(), usize::MAX).await.unwrap();
        let body: Value = serde_json::from_slice(&body).unwrap_or(Value::Null);
        let number = {
            let mut seen = script.seen.lock().unwrap();
            let authorization = authorization.unwrap_or_default();
            let post = Seen { target: target.clone(), authorization, body };
            if target.contains("/job-done/") && !post.is_progress() {
                script.ended.fetch_add(1, Ordering::SeqCst);
            }
            seen.push(post);
            seen.len()
        };
        script.changed.notify_waiters();
        if script.is_irregular {
            for _ in 0..(number * 7_919) % 23 {
                tokio::task::yield_now().await;
            }
        }
        let (answer, body) = if target.contains("/job-take") {
            let (status, body) = script.next_job().await;
            (Answer::Status(status), body)
        } else if target.contains("/job-stop/") {
            (Answer::Status(200), json!({"jobsToStop": script.next_stops().await}).to_string())
        } else if target.contains("/job-done/") {
            let next = script.done.lock().unwrap().pop_front();
            (next.unwrap_or(*script.otherwise.lock().unwrap()), String::new())
        } else if target.contains("/job-stream/") {
            script.stream_gate.acquire().await.unwrap().forget();
            (script.stream.lock().unwrap().pop_front().unwrap_or(Answer::Status(200)), String::new())
        } else {
            (Answer::Status(200), String::new())
        };
        let Answer::Status(status) = answer else { return std::future::pending().await };
        Response::builder()
            .status(status)
            .header("content-type", "application/json")
            .body(Body::from(body))
            .unwrap()
    }
}

/// A worker whose time stands still until the test moves it.
pub(crate) struct Running {
    pub(crate) script: Script,
    pub(crate) shutdown: Shutdown,
    pub(crate) worker: JoinHandle<Result<(), QueueWorkerError>>,
    pub(crate) clock: TestClock,
}

impl Running {
    pub(crate) async fn start(endpoint: &str, script: Script) -> Self {
        Self::start_with(endpoint, script, |_| {}).await
    }

    /// As [`start`](Self::start), in a changed environment.
    #[allow(clippy::unused_async, reason = "it needs a runtime")]
    pub(crate) async fn start_with(endpoint: &str, script: Script, change: impl FnOnce(&mut Boot)) -> Self {
        let base = format!("http://{}/v2/e", script.serve());
        let mut boot = Boot::default();
        boot.worker_id = Some("pod-1".to_owned());
        // Time runs as fast as the tests advance it, and functions do not.
        boot.grace = Duration::from_secs(1_000_000);
        boot.ping_interval = Duration::from_secs(1_000_000);
        boot.worker_key = Secret::new("fake-worker-key");
        boot.jobs.take = Some(format!("{base}/job-take/$ID?gpu=x"));
        boot.jobs.done = Some(format!("{base}/job-done/$RUNPOD_POD_ID/$ID?gpu=x"));
        boot.jobs.stream = Some(format!("{base}/job-stream/$RUNPOD_POD_ID/$ID?gpu=x"));
        boot.jobs.ping = Some(format!("{base}/ping/$RUNPOD_POD_ID?gpu=x"));
        change(&mut boot);
        let _ = &flash_tests::ECHO;
        let clock = TestClock::new();
        let app = App::new(Registry::linked().unwrap()).with_clock(clock.clock());
        let endpoint = app.registry().resource(endpoint).unwrap();
        let shutdown = Shutdown::new();
        let worker = tokio::spawn(QueueWorker::new(app, endpoint, boot).run(shutdown.clone()));
        Self { script, shutdown, worker, clock }
    }

    /// Moves time on, from pause to pause of the worker, until `reached`. What takes longer than `longest` is no pause
    /// but the time limit of something that is on its way.
    pub(crate) async fn pass_until(&self, longest: Duration, reached: impl Fn(&Script) -> bool) {
        while !reached(&self.script) {
            let now = self.clock.now();
            if let Some(at) = self.clock.next_wake().filter(|at| at.since(now) <= longest) {
                self.clock.advance(at.since(now)).await;
            }
            tokio::task::yield_now().await;
        }
    }

    /// Lets the worker end.
    pub(crate) async fn ended(self) -> Result<(), QueueWorkerError> {
        self.ended_with_pauses(Duration::from_secs(1)).await
    }

    async fn ended_with_pauses(self, longest: Duration) -> Result<(), QueueWorkerError> {
        while !self.worker.is_finished() {
            // The worker gives an answer that is on its way a moment to arrive, and results that were not accepted time.
            let soon = self.clock.next_wake().filter(|at| at.since(self.clock.now()) <= longest);
            if let Some(at) = soon {
                self.clock.advance(at.since(self.clock.now())).await;
            }
            tokio::task::yield_now().await;
        }
        self.worker.await.unwrap()
    }

    /// Lets the worker finish, and gives what was posted.
    pub(crate) async fn stop(self) -> Vec<Seen> {
        self.shutdown.start();
        let script = self.script.clone();
        self.ended_with_pauses(PAUSE).await.unwrap();
        script.results()
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }
}
