//! A platform on a data directory.

use axum::Router;
use axum::body::Body;
use axum::routing::post as on_post;
use flash_local::{DataError, Kind, LocalPlatform, Mock, PlatformError, SqliteOptions};
use http::StatusCode;
use serde_json::{Value, json};
use tokio::sync::mpsc;

use crate::scripted::Role;
use crate::support::{get, ok, post, quick, until_status};

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
