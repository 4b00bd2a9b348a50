//! The SDK as the client of the local platform, whose workers are ours.

use std::process::Stdio;
use std::time::Duration;

use flash_local::{EndpointSpec, Limits, LocalPlatform};
use serde_json::{Value, json};

use crate::python;

const KEY: &str = "fake-key-of-a-client";

async fn seen(platform: &LocalPlatform) -> Value {
    let folder = tempfile::tempdir().unwrap();
    let mut client = python::command("client.py");
    client.arg(folder.path()).stdout(Stdio::piped()).stderr(Stdio::piped());
    client.env("RUNPOD_ENDPOINT_BASE_URL", platform.api_url()).env("RUNPOD_API_KEY", KEY);
    let output = tokio::task::spawn_blocking(move || client.output().unwrap()).await.unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {said}"))
}

#[tokio::test(flavor = "multi_thread")]
async fn the_python_client_gets_what_it_expects() {
    // Short, so that the SDK has to go on by itself.
    let limits = Limits { wait_default: Duration::from_secs(1), ..Limits::default() };
    let platform = LocalPlatform::builder().limits(limits).api_key(KEY).start().await.unwrap();
    let app = env!("CARGO_BIN_EXE_fixture-app");
    let specs = [
        EndpointSpec::queue("interop", app),
        EndpointSpec::queue("counter", app),
        EndpointSpec::queue("idle", app).workers(0),
    ];
    platform.add_endpoints(specs).await.unwrap();
    let seen = seen(&platform).await;

    let value = json!({"a": [1, 2.5, null], "text": "ü\n"});
    assert_eq!(seen["run"], json!({"output": value, "status": "COMPLETED"}));
    assert_eq!(seen["run_sync"], value);
    assert_eq!(seen["run_sync_polled"], "held");

    assert_eq!((&seen["failed"]["output"], &seen["failed"]["status"]), (&json!(null), &json!("FAILED")));
    let raw = &seen["failed"]["raw"];
    let error: Value = serde_json::from_str(raw["error"].as_str().unwrap()).unwrap();
    assert_eq!((&error["error_type"], &error["error_message"]), (&json!("broken"), &json!("boom")));
    assert!(
        raw["delayTime"].is_u64() && raw["executionTime"].is_u64() && raw["workerId"].is_string(),
        "{raw}"
    );

    let cancel = &seen["cancel"];
    assert_eq!(cancel["answer"], json!({"id": cancel["id"], "status": "CANCELLED"}));
    assert_eq!(cancel["status"], "CANCELLED");
    assert_eq!(seen["async_cancel"]["status"], "CANCELLED");

    assert_eq!(seen["stream"], json!([{"n": 0}, {"n": 1}, {"n": 2}]));
    assert_eq!(seen["async_stream"], json!([{"n": 0}, {"n": 1}]));
    assert_eq!(seen["async_run"], json!({"output": value, "status": "COMPLETED"}));

    for health in [&seen["health"], &seen["async_health"]] {
        let jobs = ["completed", "failed", "inProgress", "inQueue", "retried"];
        let workers = ["idle", "initializing", "ready", "running", "throttled", "unhealthy"];
        assert!(jobs.iter().all(|name| health["jobs"][name].is_u64()), "{health}");
        assert!(workers.iter().all(|name| health["workers"][name].is_u64()), "{health}");
    }
    assert_eq!(seen["health"]["jobs"]["failed"], 1);

    assert_eq!(seen["queued"], "IN_QUEUE");
    assert_eq!(seen["purge"], json!({"removed": 3, "status": "completed"}));
    assert_eq!(seen["async_purge"], json!({"removed": 0, "status": "completed"}));

    assert!(seen["unauthorized"].as_str().unwrap().contains("401"), "{seen}");
    assert_eq!(seen["unknown_endpoint"][0], 404);
    assert_eq!(seen["unknown_job"][0], 404);
}
