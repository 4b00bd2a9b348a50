//! A platform on a data directory.

use axum::Router;
use axum::body::Body;
use axum::routing::post as on_post;
use flash_core::clock::{Clock, TestClock};
use flash_local::{
    DataError, Exit, Kind, LocalPlatform, Mock, PlatformError, Signal, SqliteOptions, WorkerState,
};
use http::StatusCode;
use serde_json::{Value, json};
use tokio::sync::mpsc;

use crate::scripted::Role;
use crate::sqlite::killed;
use crate::support::{get, line, ok, poll, post, quick, ready, until_status};

async fn on(dir: &tempfile::TempDir) -> LocalPlatform {
    LocalPlatform::builder().limits(quick()).data_dir(dir.path()).start().await.unwrap()
}

#[tokio::test]
async fn jobs_and_results_are_there_when_the_platform_comes_back() {
    let dir = tempfile::tempdir().unwrap();
    let first = on(&dir).await;
    first.mock("ep", Mock::jobs(|input| async { Ok(input) })).await.unwrap();
    first.declare("waits", Kind::Queue).await.unwrap();
    let url = first.endpoint_url("ep").unwrap();
    let done =
        ok(post(&format!("{url}/run"), r#"{"input":{"n":1}}"#).await)["id"].as_str().unwrap().to_owned();
    let before = until_status(&url, &done, "COMPLETED").await;
    let waits = first.endpoint_url("waits").unwrap();
    let queued =
        ok(post(&format!("{waits}/run"), r#"{"input":{"n":2}}"#).await)["id"].as_str().unwrap().to_owned();
    first.shutdown().await;

    let second = on(&dir).await;
    second.declare("ep", Kind::Queue).await.unwrap();
    second.mock("waits", Mock::jobs(|input| async { Ok(input) })).await.unwrap();
    let url = second.endpoint_url("ep").unwrap();
    assert_eq!(ok(get(&format!("{url}/status/{done}")).await), before);
    assert_eq!(ok(get(&format!("{url}/health")).await)["jobs"]["completed"], 1);
    let waits = second.endpoint_url("waits").unwrap();
    assert_eq!(until_status(&waits, &queued, "COMPLETED").await["output"], json!({"n": 2}));
    second.shutdown().await;
}

#[tokio::test]
async fn results_that_workers_could_not_post_lie_in_the_data_directory() {
    let dir = tempfile::tempdir().unwrap();
    let platform = on(&dir).await;
    platform.add_endpoint(Role::Environment.spec("env")).await.unwrap();
    let url = platform.endpoint_url("env").unwrap();
    let job = ok(post(&format!("{url}/runsync"), r#"{"input":1}"#).await);
    assert_eq!(job["output"]["FLASH_OUTBOX_DIR"], dir.path().join("outbox").display().to_string());
    platform.shutdown().await;
}

#[tokio::test]
async fn the_second_platform_on_a_directory_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let first = on(&dir).await;
    let error = LocalPlatform::builder().data_dir(dir.path()).start().await.unwrap_err();
    assert!(matches!(&error, PlatformError::Data(DataError::InUse { .. })), "{error}");
    assert!(error.to_string().contains("in use by process"), "{error}");
    first.shutdown().await;
    on(&dir).await.shutdown().await;
}

#[tokio::test]
async fn a_full_disk_is_said_to_the_caller() {
    let dir = tempfile::tempdir().unwrap();
    let options = SqliteOptions::new().max_bytes(1_000_000);
    let platform = LocalPlatform::builder().limits(quick()).data(dir.path(), options).start().await.unwrap();
    platform.declare("ep", Kind::Queue).await.unwrap();
    let url = platform.endpoint_url("ep").unwrap();
    let body = json!({ "input": "x".repeat(200_000) }).to_string();
    let mut accepted = 0;
    let refused = loop {
        let answer = post(&format!("{url}/run"), body.clone()).await;
        if answer.status != 200 {
            break answer;
        }
        accepted += 1;
        assert!(accepted < 20);
    };
    assert_eq!(refused.status, StatusCode::INSUFFICIENT_STORAGE.as_u16());
    let text = refused.body["error"].as_str().unwrap();
    assert!(text.contains("disk is full") && text.contains("help: make room"), "{text}");
    assert_eq!(ok(get(&format!("{url}/health")).await)["jobs"]["inQueue"], accepted);
    ok(post(&format!("{url}/purge-queue"), Body::empty()).await);
    ok(post(&format!("{url}/run"), body).await);
}

#[tokio::test]
async fn jobs_of_workers_that_died_with_their_platform_go_back_at_once() {
    let dir = tempfile::tempdir().unwrap();
    let first = on(&dir).await;
    first.add_endpoint(Role::Hold.spec("ep")).await.unwrap();
    let url = first.endpoint_url("ep").unwrap();
    let run =
        async || ok(post(&format!("{url}/run"), r#"{"input":1}"#).await)["id"].as_str().unwrap().to_owned();
    let own = run().await;
    let held = until_status(&url, &own, "IN_PROGRESS").await;
    // A worker that nobody here started, and that may well be there after the restart.
    let foreign = run().await;
    ok(get(&format!("{url}/job-take/pod-1?x=1")).await);
    // What a killed platform leaves.
    let left = killed(dir.path());

    // Time stands still: no lease can end.
    let time = TestClock::at(Clock::real().now());
    let second = LocalPlatform::builder().limits(quick()).clock(time.clock()).data_dir(left.path()).start();
    let second = second.await.unwrap();
    second.declare("ep", Kind::Queue).await.unwrap();
    let url = second.endpoint_url("ep").unwrap();
    let job = ok(get(&format!("{url}/status/{own}")).await);
    assert_eq!((&job["status"], &job["retries"]), (&json!("IN_QUEUE"), &json!(1)), "{job} {held}");
    assert_eq!(ok(get(&format!("{url}/status/{foreign}")).await)["status"], "IN_PROGRESS");
    // It had its second chance: a third one there is not.
    ok(get(&format!("{url}/job-take/pod-2?x=1")).await);
    second.queue("ep").unwrap().worker_lost(&"pod-2".into()).await.unwrap();
    let job = ok(get(&format!("{url}/status/{own}")).await);
    assert_eq!((&job["status"], &job["error"]), (&json!("FAILED"), &json!("job timed out after 1 retries")));
    second.shutdown().await;
    first.shutdown().await;
}

#[tokio::test]
async fn what_workers_wrote_can_be_read_after_a_restart() {
    let dir = tempfile::tempdir().unwrap();
    let first = on(&dir).await;
    first.add_endpoint(Role::Echo.spec("ep")).await.unwrap();
    let worker = ready(&first, 1).await.remove(0);
    let pid = line(&first, &worker, "pid").await;
    // What a killed platform leaves: its workers do not say how they ended. The writer may be a moment behind.
    let left = poll("the log on the disk", async || {
        let left = killed(dir.path());
        let text = std::fs::read_to_string(left.path().join(format!("logs/{}.jsonl", worker.id))).ok()?;
        text.contains("worker is ready").then_some(left)
    })
    .await;
    first.shutdown().await;

    for (data, signal) in [(dir.path(), Some(15)), (left.path(), None)] {
        let second = LocalPlatform::builder().limits(quick()).data_dir(data).start().await.unwrap();
        let workers = second.workers();
        let info = workers.iter().find(|info| info.id == worker.id).unwrap();
        assert_eq!(info.state, WorkerState::Exited(Exit { code: None, signal }));
        assert_eq!(
            (info.pid, info.started, info.phases.ready),
            (worker.pid, worker.started, worker.phases.ready)
        );
        let lines = second.logs(&worker.id).unwrap();
        assert!(lines.iter().any(|line| line.text == format!("pid {pid}")), "{lines:?}");
        let ended = lines.iter().any(|line| line.text.starts_with("worker ended: "));
        assert_eq!(ended, signal.is_some(), "{lines:?}");
        // Its number may be somebody else's by now.
        let error = second.kill_worker(&worker.id, Signal::Kill).unwrap_err();
        assert!(matches!(error, PlatformError::UnknownWorker(_)), "{error}");
        second.shutdown().await;
    }
}

#[tokio::test]
async fn a_webhook_that_was_not_answered_is_called_after_a_restart() {
    let dir = tempfile::tempdir().unwrap();
    let (sender, mut calls) = mpsc::unbounded_channel();
    let receiver = LocalPlatform::start().await.unwrap();
    let hook = move |body: axum::Json<Value>| async move {
        let first = calls_so_far(&sender, body.0);
        if first { StatusCode::SERVICE_UNAVAILABLE } else { StatusCode::OK }
    };
    receiver.mock("hooks", Mock::http(Router::new().route("/hook", on_post(hook)))).await.unwrap();
    let hook = format!("{}/hook", receiver.endpoint_url("hooks").unwrap());

    // The first platform is gone before its pause of ten seconds is over.
    let first = on(&dir).await;
    first.mock("ep", Mock::jobs(|input| async { Ok(input) })).await.unwrap();
    let run = format!("{}/run", first.endpoint_url("ep").unwrap());
    let id = ok(post(&run, json!({ "input": 7, "webhook": hook }).to_string()).await)["id"].clone();
    let called = calls.recv().await.unwrap();
    assert_eq!((&called["id"], &called["output"]), (&id, &json!(7)));
    first.shutdown().await;

    let second = on(&dir).await;
    second.declare("ep", Kind::Queue).await.unwrap();
    assert_eq!(calls.recv().await.unwrap(), called);
    second.shutdown().await;
    receiver.shutdown().await;
}

/// Passes a call on. Answers whether it was the first.
fn calls_so_far(sender: &mpsc::UnboundedSender<Value>, call: Value) -> bool {
    static FIRST: std::sync::atomic::AtomicBool = std::sync::atomic::AtomicBool::new(true);
    sender.send(call).unwrap();
    FIRST.swap(false, std::sync::atomic::Ordering::Relaxed)
}
