//! The bytes on the wire: what the SDK's worker sends to a recording server (the captures in the appendix of the platform
//! contract), and that ours sends the same.

use std::process::{Child, Command, Stdio};
use std::time::Duration;

use serde_json::{Value, json};

use crate::python;
use crate::recorder::{Recorder, Seen};

/// A worker process; killed when dropped.
struct Worker(Child);

impl Worker {
    fn start(mut command: Command, address: &str) -> Self {
        // The query is not to be touched; see the plus signs.
        let gpu = "?gpu=NVIDIA+GeForce+RTX+4090";
        let at = |operation: &str| format!("{address}/v2/ep1/{operation}{gpu}");
        let child = command
            .env("RUNPOD_WEBHOOK_GET_JOB", at("job-take/$ID"))
            .env("RUNPOD_WEBHOOK_POST_OUTPUT", at("job-done/$RUNPOD_POD_ID/$ID"))
            .env("RUNPOD_WEBHOOK_POST_STREAM", at("job-stream/$RUNPOD_POD_ID/$ID"))
            .env("RUNPOD_WEBHOOK_PING", at("ping/$RUNPOD_POD_ID"))
            .env("RUNPOD_AI_API_KEY", "FAKEKEY123")
            .env("RUNPOD_POD_ID", "pod-abc")
            .env("RUNPOD_PING_INTERVAL", "1000")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        Self(child)
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn python(slots: &str) -> Command {
    let mut command = python::command("worker.py");
    command.env("SLOTS", slots);
    command
}

/// Our worker of an endpoint with one slot or with four.
fn ours(endpoint: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_fixture-app"));
    command.env_clear().env("FLASH_RESOURCE_NAME", endpoint);
    command
}

const GPU: &str = "gpu=NVIDIA+GeForce+RTX+4090";

fn body(seen: &Seen) -> Value {
    serde_json::from_str(&seen.body).unwrap()
}

/// What all requests to the queue have in common.
fn has_the_headers(seen: &Seen) {
    assert_eq!(seen.header("authorization"), Some("FAKEKEY123"), "without `Bearer`: {seen:?}");
    if seen.operation.starts_with("POST") {
        let job = seen.target.split(['/', '?']).nth(5);
        assert_eq!(seen.header("x-request-id"), job, "{seen:?}");
    }
}

async fn one_slot(command: Command) {
    let file = tempfile::tempdir().unwrap();
    let ready = file.path().join("ready");
    let (recorder, address) = Recorder::start(vec![
        json!({"id": "j1-u1", "input": {"method": "say", "value": {"a": 1, "uni": "é"}}, "delayTime": 273_894}),
        json!({"id": "j2", "input": {"method": "say", "value": null}, "webhook": "http://127.0.0.1:9/x"}),
        json!({"id": "j9", "input": {"method": "advance", "progress": "50%", "file": ready}, "unknown": {"a": [1]}}),
        json!({"id": "e1", "input": {"method": "fail", "message": "boom"}}),
        json!({"id": "r1", "input": {"method": "renew"}}),
    ])
    .await;
    let _worker = Worker::start(command, &address);
    // The job goes on when its progress was seen; a worker may leave out progress that a result has overtaken.
    while !recorder.all().iter().any(|seen| seen.body.contains("50%")) {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    std::fs::write(&ready, "").unwrap();
    let done = recorder.at_least("POST job-done", 6).await;

    let takes = recorder.at_least("GET job-take", 5).await;
    let plain = format!("/v2/ep1/job-take/pod-abc?{GPU}&job_in_progress=");
    for take in &takes {
        let in_progress = take.target.strip_prefix(&plain);
        assert!(in_progress.is_some_and(|flag| flag == "0" || flag == "1"), "{take:?}");
        has_the_headers(take);
    }
    assert_eq!(takes[0].target, format!("{plain}0"));

    let of = |job: &str| -> Vec<&Seen> {
        let path = format!("/v2/ep1/job-done/pod-abc/{job}?{GPU}&isStream=false");
        done.iter().filter(|seen| seen.target == path).collect()
    };
    done.iter().for_each(has_the_headers);
    assert_eq!(body(of("j1-u1")[0]), json!({"output": {"a": 1, "uni": "é"}}));
    assert!(of("j1-u1")[0].body.contains('é'), "characters are sent as they are");
    assert_eq!(body(of("j2")[0]), json!({"output": null}));
    let posted: Vec<Value> = of("j9").into_iter().map(body).collect();
    // The SDK gives no order; ours never lets progress overtake the result.
    assert!(posted.contains(&json!({"status": "IN_PROGRESS", "output": "50%"})), "{posted:?}");
    assert!(posted.contains(&json!({"output": "done"})), "{posted:?}");
    let failed = body(of("e1")[0]);
    assert_eq!(failed.as_object().unwrap().len(), 1, "{failed}");
    let error: Value = serde_json::from_str(failed["error"].as_str().unwrap()).unwrap();
    assert_eq!((&error["error_message"], &error["worker_id"]), (&json!("boom"), &json!("pod-abc")));
    let renewed = body(of("r1")[0]);
    assert_eq!(renewed["stopPod"], true);
    assert_eq!(renewed.as_object().unwrap().len(), 2, "{renewed}");
    assert!(renewed["output"]["pid"].is_u64());

    // The heartbeat is told of jobs only while there are some.
    let pings = recorder.at_least("GET ping", 1).await;
    let start = format!("/v2/ep1/ping/pod-abc?{GPU}&");
    for ping in &pings {
        let rest = ping.target.strip_prefix(&start).unwrap_or_else(|| panic!("{ping:?}"));
        assert!(rest.starts_with("runpod_version=") || rest.starts_with("job_id="), "{ping:?}");
        assert_eq!(ping.header("authorization"), Some("FAKEKEY123"));
    }
    recorder.at_least("GET job-stop", 1).await;
    for stop in recorder.all().iter().filter(|seen| seen.operation == "GET job-stop") {
        assert_eq!(stop.target, format!("/v2/ep1/job-stop/pod-abc?{GPU}"));
        has_the_headers(stop);
    }
}

async fn four_slots(command: Command) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("go");
    let hold = |id: &str| json!({"id": id, "input": {"method": "hold", "file": file}});
    let (recorder, address) = Recorder::start(vec![json!([hold("a1"), hold("a2"), hold("a3")])]).await;
    let _worker = Worker::start(command, &address);
    // All that run are in one heartbeat, and the comma is encoded.
    loop {
        let pings = recorder.at_least("GET ping", 1).await;
        let listed =
            pings.iter().find_map(|ping| ping.target.split("&job_id=").nth(1).map(ToOwned::to_owned));
        if let Some(listed) = listed.filter(|listed| listed.matches("%2C").count() == 2) {
            let (ids, version) = listed.split_once('&').unwrap();
            let mut ids: Vec<&str> = ids.split("%2C").collect();
            ids.sort_unstable();
            assert_eq!(ids, ["a1", "a2", "a3"]);
            assert!(version.starts_with("runpod_version="), "{version}");
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let take = &recorder.at_least("GET job-take-batch", 1).await[0];
    let expected = format!("/v2/ep1/job-take-batch/pod-abc?{GPU}&batch_size=4&job_in_progress=0");
    assert_eq!(take.target, expected);
    has_the_headers(take);
    std::fs::write(&file, "").unwrap();
    let done = recorder.at_least("POST job-done", 3).await;
    assert!(done.iter().all(|seen| body(seen) == json!({"output": "held"})), "{done:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_python_worker_sends_what_the_contract_says() {
    tokio::join!(one_slot(python("1")), four_slots(python("4")));
}

#[tokio::test(flavor = "multi_thread")]
async fn our_worker_sends_the_same() {
    tokio::join!(one_slot(ours("interop_single")), four_slots(ours("interop")));
}
