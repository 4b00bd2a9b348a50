//! The SDK's worker and ours as workers of the local platform: the same expectations of both.

use std::path::{Path, PathBuf};
use std::time::Duration;

use flash_core::ids::JobId;
use flash_core::wire::{Job, JobStatus};
use flash_local::{EndpointSpec, Limits, LocalPlatform, WorkerInfo};
use flash_queue::{Payload, Queue, Submission};
use serde_json::{Value, json};

use crate::python;

/// Long enough for Python to start on a machine that is busy with other tests.
const PATIENCE: Duration = Duration::from_secs(60);

/// A platform with one endpoint, and a folder for the files that jobs wait for.
struct Endpoint {
    platform: LocalPlatform,
    queue: Queue,
    folder: tempfile::TempDir,
}

impl Endpoint {
    async fn start(spec: EndpointSpec) -> Self {
        Self::named("interop", spec).await
    }

    async fn named(name: &str, spec: EndpointSpec) -> Self {
        // The SDK's worker does not stop before its held requests have ended.
        let hold = Duration::from_secs(1);
        let limits = Limits { take_hold: hold, stop_hold: hold, ..Limits::default() };
        let platform = LocalPlatform::builder().limits(limits).record_traffic(true).start().await.unwrap();
        platform.add_endpoint(spec).await.unwrap();
        let queue = platform.queue(name).unwrap();
        Self { platform, queue, folder: tempfile::tempdir().unwrap() }
    }

    fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    async fn submit(&self, input: Value) -> JobId {
        let input = serde_json::value::to_raw_value(&input).unwrap();
        self.queue.submit(Submission::new(Payload::from(&*input))).await.unwrap()
    }

    async fn end(&self, id: &JobId) -> Job<Payload> {
        let job = self.queue.wait(id, PATIENCE).await.unwrap();
        assert!(job.status.is_terminal(), "{job:?}\n{}", self.words());
        job
    }

    async fn run(&self, input: Value) -> Job<Payload> {
        let id = self.submit(input).await;
        self.end(&id).await
    }

    /// Looks at a job until it is as wanted.
    async fn until(&self, id: &JobId, wanted: impl Fn(&Job<Payload>) -> bool) {
        self.until_holds("the job to be as wanted", async || wanted(&self.queue.status(id).await.unwrap()))
            .await;
    }

    async fn until_holds(&self, what: &str, holds: impl AsyncFn() -> bool) {
        for _ in 0..6_000 {
            if holds().await {
                return;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("nothing came of waiting for {what}\n{}", self.words());
    }

    fn worker(&self) -> WorkerInfo {
        self.platform.workers().pop().unwrap()
    }

    /// Everything that all workers wrote.
    fn words(&self) -> String {
        let logs = self.platform.workers().into_iter().filter_map(|worker| self.platform.logs(&worker.id));
        logs.flatten().map(|line| line.text + "\n").collect()
    }
}

fn output(job: &Job<Payload>) -> Value {
    job.output.as_ref().map_or(json!("no output"), |output| serde_json::from_str(output.get()).unwrap())
}

fn touch(file: &Path) {
    std::fs::write(file, "").unwrap();
}

/// What a worker with four slots must do.
async fn holds_to_the_protocol(endpoint: &Endpoint) {
    // It takes and answers.
    let value = json!({"a": [1, 2.5, null], "text": "ü\n"});
    let job = endpoint.run(json!({"method": "say", "value": value})).await;
    assert_eq!((job.status, output(&job)), (JobStatus::Completed, value), "{job:?}");
    assert_eq!(job.worker_id, Some(endpoint.worker().id), "the first worker lives");

    // It fails with Python's keys.
    let job = endpoint.run(json!({"method": "fail", "message": "boom"})).await;
    assert_eq!(job.status, JobStatus::Failed, "{job:?}");
    let error: Value = serde_json::from_str(&job.error.unwrap()).unwrap();
    assert_eq!(error["error_message"], "boom");
    for key in ["error_type", "error_traceback", "hostname", "worker_id", "runpod_version"] {
        assert!(error[key].is_string(), "{key}: {error}");
    }
    assert_eq!(error["worker_id"], endpoint.worker().id.as_str());

    // It tells how far it is.
    let file = endpoint.file("advance");
    let id = endpoint.submit(json!({"method": "advance", "progress": "50%", "file": file})).await;
    endpoint.until(&id, |job| job.status == JobStatus::InProgress && output(job) == "50%").await;
    touch(&file);
    let job = endpoint.end(&id).await;
    assert_eq!((job.status, output(&job)), (JobStatus::Completed, json!("done")), "{job:?}");

    // It has four slots, not five; one of its jobs is stopped, and the others finish.
    let file = endpoint.file("hold");
    let mut ids = Vec::new();
    for _ in 0..5 {
        ids.push(endpoint.submit(json!({"method": "hold", "file": file})).await);
    }
    endpoint
        .until_holds("four jobs at once", async || {
            endpoint.queue.health().await.unwrap().jobs.in_progress == 4
        })
        .await;
    // Jobs are handed out in their order.
    let stopped = ids.remove(0);
    assert_eq!(endpoint.queue.cancel(&stopped).await.unwrap(), JobStatus::Cancelled);
    let said = format!("stopped {stopped}");
    endpoint.until_holds("the job to be stopped", async || endpoint.words().contains(&said)).await;
    touch(&file);
    for id in &ids {
        let job = endpoint.end(id).await;
        assert_eq!((job.status, output(&job)), (JobStatus::Completed, json!("held")), "{job:?}");
    }
    assert_eq!(endpoint.queue.status(&stopped).await.unwrap().status, JobStatus::Cancelled);
    let posted_for_it = |target: &str| target.contains("/job-done/") && target.contains(stopped.as_str());
    assert!(!endpoint.platform.traffic().iter().any(|exchange| posted_for_it(&exchange.target)));

    // It asks for a fresh worker, and gets one.
    let (before, job) = (endpoint.worker().id, endpoint.run(json!({"method": "renew"})).await);
    assert!(output(&job)["pid"].is_u64(), "{job:?}");
    assert_eq!(output(&job).as_object().unwrap().len(), 1, "the wish is no part of the output: {job:?}");
    endpoint.platform.until_workers(|workers| workers.iter().any(|worker| worker.id != before)).await;
    let job = endpoint.run(json!({"method": "say", "value": 1})).await;
    assert_ne!(job.worker_id, Some(before));
    assert_eq!(output(&job), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_python_worker_finds_the_protocol_that_it_speaks() {
    let endpoint = Endpoint::start(python::worker("interop").env("SLOTS", "4")).await;
    holds_to_the_protocol(&endpoint).await;
    endpoint.platform.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn our_worker_is_held_to_the_same() {
    let endpoint = Endpoint::start(EndpointSpec::queue("interop", env!("CARGO_BIN_EXE_fixture-app"))).await;
    holds_to_the_protocol(&endpoint).await;
    endpoint.platform.shutdown().await;
}

/// What a worker whose function streams must do; `gathered` when the whole is its result too.
async fn holds_to_streams(endpoint: &Endpoint, gathered: bool) {
    let id = endpoint.submit(json!({"to": 3})).await;
    let job = endpoint.end(&id).await;
    let pieces = json!([{"n": 0}, {"n": 1}, {"n": 2}]);
    assert_eq!(output(&job), if gathered { pieces.clone() } else { json!([]) }, "{job:?}");
    let streamed = endpoint.queue.stream(&id).await.unwrap();
    assert_eq!(streamed.status, JobStatus::Completed);
    let streamed: Vec<Value> =
        streamed.stream.iter().map(|piece| serde_json::from_str(piece.output.get()).unwrap()).collect();
    assert_eq!(json!(streamed), pieces);

    // What was sent before the failure stays.
    let id = endpoint.submit(json!({"to": 2, "then_fail": true})).await;
    let job = endpoint.end(&id).await;
    assert_eq!(job.status, JobStatus::Failed, "{job:?}");
    assert!(job.error.unwrap().contains("no further"));
    assert_eq!(endpoint.queue.stream(&id).await.unwrap().stream.len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_python_worker_streams() {
    let (pieces, whole) = tokio::join!(
        Endpoint::start(python::worker("interop").env("STREAM", "yes")),
        Endpoint::start(python::worker("interop").env("STREAM", "aggregate")),
    );
    tokio::join!(holds_to_streams(&pieces, false), holds_to_streams(&whole, true));
}

#[tokio::test(flavor = "multi_thread")]
async fn our_worker_streams_the_same() {
    let app = env!("CARGO_BIN_EXE_fixture-app");
    let endpoint = Endpoint::named("counter", EndpointSpec::queue("counter", app)).await;
    // Callers who do not listen get all items as the result, as with `return_aggregate_stream`.
    holds_to_streams(&endpoint, true).await;
    endpoint.platform.shutdown().await;
}
