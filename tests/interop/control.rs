//! The SDK as the client of the local control plane.

use std::process::Stdio;

use flash_local::{LocalPlatform, WorkerState};
use serde_json::{Value, json};

use crate::python;

const KEY: &str = "fake-key-of-a-client";

#[tokio::test(flavor = "multi_thread")]
async fn the_python_sdk_makes_an_endpoint_and_calls_it() {
    let platform = LocalPlatform::builder().api_key(KEY).control_plane(true).start().await.unwrap();
    let mut client = python::command("control.py");
    client.arg(env!("CARGO_BIN_EXE_fixture-app")).stdout(Stdio::piped()).stderr(Stdio::piped());
    client
        .env("RUNPOD_API_BASE_URL", platform.base_url())
        .env("RUNPOD_ENDPOINT_BASE_URL", platform.api_url());
    client.env("RUNPOD_API_KEY", KEY);
    let output = tokio::task::spawn_blocking(move || client.output().unwrap()).await.unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    let seen: Value =
        serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {said}"));

    let template = &seen["template"];
    assert_eq!((&template["name"], &template["isServerless"]), (&json!("python-template"), &json!(true)));
    assert_eq!(template["env"], json!([{"key": "FLASH_RESOURCE_NAME", "value": "interop"}]));
    let made = &seen["made"];
    assert_eq!(
        (&made["name"], &made["templateId"], &made["scalerType"], &made["scalerValue"]),
        (&json!("python-endpoint"), &template["id"], &json!("QUEUE_DELAY"), &json!(4))
    );
    assert_eq!(
        (&made["workersMin"], &made["workersMax"], &made["idleTimeout"]),
        (&json!(1), &json!(2), &json!(5))
    );
    assert_eq!(seen["output"], json!([1, "two"]), "a real worker answered");
    assert_eq!(seen["changed"], json!({"id": made["id"], "templateId": seen["second"]}));
    let listed = seen["endpoints"].as_array().unwrap();
    assert_eq!(listed.len(), 1);
    assert_eq!((&listed[0]["id"], &listed[0]["templateId"]), (&made["id"], &seen["second"]));
    let gpus = seen["gpus"].as_array().unwrap();
    assert!(
        gpus.iter().all(|gpu| gpu["id"].is_string() && gpu["memoryInGb"].is_number()) && !gpus.is_empty()
    );
    assert_eq!((&seen["gpu"]["id"], &seen["gpu"]["maxGpuCount"]), (&gpus[0]["id"], &json!(8)));
    for refused in ["no_such_template", "same_name", "unauthorized"] {
        assert_eq!(seen[refused][0], "refused", "{}", seen[refused]);
    }
    // Other variables are another release: its workers take the place of those that were there.
    platform
        .until_workers(|workers| {
            workers.iter().any(|worker| worker.version == 2 && worker.state == WorkerState::Ready)
        })
        .await;
    platform.shutdown().await;
}
