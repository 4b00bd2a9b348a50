//! The example `03_mixed_workers`: one binary as three queue workers and an HTTP endpoint.

use std::process::Command;

use flash_local::{EndpointSpec, LocalPlatform};
use serde_json::{Value, json};

use crate::processes::{Local, example, post};

const PIPELINE: &str = "01_03_classify_pipeline";
const QUEUES: [&str; 3] =
    ["01_03_mixed_workers_cpu", "01_03_mixed_workers_cpu_postprocess", "01_03_mixed_inference"];

/// What does not depend on the time of the call.
fn classification(answer: &Value) -> (Value, Value) {
    (answer["classification"].clone(), answer["all_predictions"].clone())
}

#[tokio::test]
async fn mixed_workers_answer_the_same_in_one_process_and_in_four() {
    let binary = example("mixed_workers");
    let body = json!({"text": "This product is amazing! I love it!"});

    let local = Local::start(&binary);
    let (status, in_process) = post(&format!("{}/{PIPELINE}/classify", local.url), &body).await;
    assert_eq!(status, 200, "{in_process}");
    assert_eq!(in_process["classification"]["label"], "positive");

    let platform = LocalPlatform::builder().record_traffic(true).start().await.unwrap();
    let specs = QUEUES
        .iter()
        .map(|name| EndpointSpec::queue(*name, &binary))
        .chain([EndpointSpec::load_balanced(PIPELINE, &binary)]);
    platform.add_endpoints(specs).await.unwrap();
    let url = format!("{}/classify", platform.endpoint_url(PIPELINE).unwrap());
    let (status, deployed) = post(&url, &body).await;
    assert_eq!(status, 200, "{deployed}");
    assert_eq!(classification(&deployed), classification(&in_process));

    // Four processes took part, each for its own endpoint.
    let workers = platform.workers();
    let mut pids: Vec<_> = workers.iter().map(|worker| worker.pid).collect();
    pids.sort_unstable();
    pids.dedup();
    assert_eq!(pids.len(), 4, "{workers:?}");
    for queue in QUEUES {
        let health = platform.queue(queue).unwrap().health().await.unwrap();
        assert_eq!(health.jobs.completed, 1, "{queue}");
    }

    // Nothing but JSON was on the wire.
    let traffic = platform.traffic();
    assert!(
        traffic.iter().filter(|exchange| exchange.target.contains("/job-done/")).count() == 3,
        "{traffic:?}"
    );
    for exchange in &traffic {
        for text in [&exchange.request, &exchange.response] {
            let is_json = text.is_empty() || serde_json::from_slice::<Value>(text).is_ok();
            assert!(is_json, "{exchange:?}");
        }
    }

    // Bad input is named by path through the gateway too.
    let (status, problem) = post(&url, &json!({"text": 1})).await;
    assert_eq!((status, &problem["detail"]), (422, &json!("body.text: expected a string, got integer")));
    platform.shutdown().await;
}

#[test]
fn mixed_workers_mark_only_the_http_endpoint_as_calling() {
    let binary = example("mixed_workers");
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("flash_manifest.json");
    let described = Command::new(binary).env_clear().env("FLASH_DESCRIBE", &file).output().unwrap();
    assert!(described.status.success());
    assert!(described.stderr.is_empty(), "{}", String::from_utf8_lossy(&described.stderr));
    let manifest: Value = serde_json::from_str(&std::fs::read_to_string(file).unwrap()).unwrap();
    for (name, resource) in manifest["resources"].as_object().unwrap() {
        assert_eq!(resource["makes_remote_calls"], name == PIPELINE, "{name}");
    }
    assert_eq!(manifest["resources"].as_object().unwrap().len(), 4);
}
