//! Queue workers as processes, in front of a queue that records every request: what outlives a `kill -9`, and what they
//! write to their log.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::queue_worker::Worker;
use crate::recording_queue::{Answer, Script};

fn http(queue: SocketAddr) -> String {
    format!("http://{queue}")
}

/// The files in which results wait.
fn waiting(directory: &Path) -> Vec<PathBuf> {
    let endpoints = std::fs::read_dir(directory.join("outbox")).unwrap();
    endpoints
        .flat_map(|endpoint| std::fs::read_dir(endpoint.unwrap().path()).unwrap())
        .map(|file| file.unwrap().path())
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn results_that_a_killed_worker_could_not_deliver_are_delivered_by_the_next() {
    use std::os::unix::fs::PermissionsExt;
    let directory = tempfile::tempdir().unwrap();
    let script = Script::default()
        .job("j1", &json!({"method": "same", "value": {"a": [1, "ä"]}}))
        .job("j2", &json!({"method": "count", "to": 2, "bytes": 1}));
    *script.otherwise.lock().unwrap() = Answer::Status(503);
    let queue = script.serve();
    let mut worker = Worker::start(&http(queue), directory.path(), &[]);
    script
        .until(|script| ["j1", "j2"].iter().all(|job| !script.all(|seen| seen.is_result_of(job)).is_empty()))
        .await;
    worker.kill();
    let file = waiting(directory.path()).remove(0);
    assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(std::fs::metadata(file.parent().unwrap()).unwrap().permissions().mode() & 0o777, 0o700);
    // It died over its next record.
    let mut bytes = std::fs::read(&file).unwrap();
    bytes.extend_from_within(..bytes.len() / 4);
    std::fs::write(&file, bytes).unwrap();

    let refused = script.results().len();
    let taken = script.all(|seen| seen.target.contains("/job-take")).len();
    *script.otherwise.lock().unwrap() = Answer::Status(200);
    // The container's next process; the platform may have given the pod another name meanwhile.
    let worker = Worker::start(&http(queue), directory.path(), &[("RUNPOD_POD_ID", "pod-2")]);
    script.until(|script| script.results().len() >= refused + 2).await;
    script.until(|script| script.all(|seen| seen.target.contains("/job-take")).len() > taken).await;
    let results = script.results();
    let delivered = &results[refused..];
    assert_eq!(delivered.len(), 2, "{delivered:?}");
    let of = |job: &str| delivered.iter().find(|seen| seen.is_result_of(job)).unwrap();
    assert_eq!(of("j1").body, json!({"output": {"a": [1, "ä"]}}));
    assert_eq!(of("j1").target, "/v2/e/job-done/pod-1/j1?gpu=x&isStream=false");
    assert_eq!(of("j2").body, json!({"output": ["0", "1"]}));
    assert_eq!(of("j2").target, "/v2/e/job-done/pod-1/j2?gpu=x&isStream=true");
    // Nothing is kept that was delivered.
    while waiting(directory.path())
        .iter()
        .any(|file| std::fs::metadata(file).is_ok_and(|file| file.len() > 0))
    {
        tokio::task::yield_now().await;
    }
    let lines = worker.lines();
    assert!(lines.iter().any(|line| line["message"].as_str().unwrap().contains("half-written")), "{lines:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_line_is_one_object_and_names_its_job() {
    let directory = tempfile::tempdir().unwrap();
    let script = Script::default().job("j1", &json!({"method": "count", "to": 9, "panic_at": 0}));
    let queue = script.serve();
    let worker = Worker::start(&http(queue), directory.path(), &[]);
    script.results_at_least(1).await;
    let lines = worker.lines();
    let line = lines.iter().find(|line| line["requestId"] == "j1").unwrap();
    assert_eq!(line["level"], "ERROR", "{line}");
    assert!(line["message"].as_str().unwrap().contains("the function panicked"), "{line}");
    let keys = |line: &Value| line.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    assert!(lines.iter().all(|line| keys(line) == ["level", "message", "requestId"]), "{lines:?}");
    assert!(lines.iter().any(|line| line["requestId"].is_null()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_that_cannot_go_on_ends_with_its_own_code() {
    let directory = tempfile::tempdir().unwrap();
    let script = Script::default();
    let queue = script.serve();
    let mut unfit = Worker::start(&http(queue), directory.path(), &[("RUNPOD_MIN_MEMORY_GB", "1000000")]);
    assert_eq!(unfit.ended().await.code(), Some(8));
    let seen = script.all(|_| true);
    assert_eq!(seen.len(), 1, "{seen:?}");
    assert!(seen[0].target.contains("status=unhealthy&check=memory"), "{seen:?}");

    let skipped = [("RUNPOD_MIN_MEMORY_GB", "1000000"), ("RUNPOD_SKIP_AUTO_SYSTEM_CHECKS", "true")];
    let worker = Worker::start(&http(queue), directory.path(), &skipped);
    script.seen_at_least(|seen| seen.target.contains("/job-take")).await;
    drop(worker);

    let fatal = Script::default().job("j1", &json!({"method": "break_worker"}));
    let mut worker =
        Worker::start(&http(fatal.serve()), directory.path(), &[("FLASH_RESOURCE_NAME", "mixed")]);
    assert_eq!(worker.ended().await.code(), Some(7));
    assert!(fatal.result_of("j1")["error"].is_string());
    fatal.seen_at_least(|seen| seen.target.contains("status=unhealthy&check=fatal_error")).await;
}
