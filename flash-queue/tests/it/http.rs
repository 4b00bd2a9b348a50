//! The client API over real connections, with a worker that speaks the worker protocol.

use serde_json::{Value, json};

use crate::support::{Server, output, worker};

#[tokio::test]
async fn a_job_goes_its_whole_way_over_http() {
    let server = Server::start().await;
    let accepted = server.post("/v2/ep/run", r#"{"input":{"text":"é"}}"#).await.ok();
    assert_eq!(accepted["status"], "IN_QUEUE");
    let id = accepted["id"].as_str().unwrap();
    assert!(id.ends_with("-u1"), "{id}");
    assert_eq!(server.get(&format!("/v2/ep/status/{id}")).await.ok(), accepted);

    let taken = server.get("/v2/ep/job-take/w1?gpu=x&job_in_progress=0").await.ok();
    assert_eq!((&taken["id"], &taken["input"]), (&json!(id), &json!({"text": "é"})));
    assert!(taken["delayTime"].is_u64());
    let running = server.get(&format!("/v2/ep/status/{id}")).await.ok();
    assert_eq!((&running["status"], &running["workerId"]), (&json!("IN_PROGRESS"), &json!("w1")));

    let done = format!("/v2/ep/job-done/w1/{id}?gpu=x&isStream=false");
    server.post(&done, r#"{"status":"IN_PROGRESS","output":"50%"}"#).await.ok();
    assert_eq!(server.get(&format!("/v2/ep/status/{id}")).await.ok()["output"], "50%");
    server.post(&done, r#"{"output":{"label":"good"}}"#).await.ok();
    let job = server.get(&format!("/v2/ep/status/{id}")).await.ok();
    assert_eq!((&job["status"], &job["output"]), (&json!("COMPLETED"), &json!({"label": "good"})));
    assert!(job["executionTime"].is_u64() && job["workerId"] == "w1" && job.get("error").is_none(), "{job}");

    // A second answer does not count, and is no error either: the first one may have been lost on its way back.
    server.post(&done, r#"{"error":"late"}"#).await.ok();
    assert_eq!(server.get(&format!("/v2/ep/status/{id}")).await.ok(), job);
}

#[tokio::test]
async fn a_waiting_worker_gets_the_next_job_at_once() {
    let server = Server::start().await;
    let (taken, submitted) = tokio::join!(server.get("/v2/ep/job-take/w1?gpu=x"), async {
        // The worker is in line: it was heard of.
        while server.queue.health().await.unwrap().workers.ready == 0 {
            tokio::task::yield_now().await;
        }
        server.post("/inference/run", r#"{"input":1}"#).await
    });
    assert_eq!(taken.ok()["id"], submitted.ok()["id"]);
}

#[tokio::test]
async fn each_job_wakes_one_of_many_waiting_workers() {
    let server = Server::start().await;
    let takes: Vec<_> = (0..8)
        .map(|n| {
            let queue = server.queue.clone();
            tokio::spawn(async move {
                let worker = worker(&format!("w{n}"));
                queue.take(&worker, 1, std::time::Duration::from_secs(60)).await.unwrap()
            })
        })
        .collect();
    while server.queue.health().await.unwrap().workers.ready < 8 {
        tokio::task::yield_now().await;
    }
    for n in 0..8 {
        server.post("/v2/ep/run", format!(r#"{{"input":{n}}}"#)).await.ok();
    }
    let mut inputs = Vec::new();
    for take in takes {
        let jobs = take.await.unwrap();
        assert_eq!(jobs.len(), 1);
        inputs.push(jobs[0].input.as_ref().unwrap().get().to_owned());
    }
    inputs.sort();
    assert_eq!(inputs, ["0", "1", "2", "3", "4", "5", "6", "7"]);
}

#[tokio::test]
async fn runsync_waits_for_the_result() {
    let server = Server::start().await;
    for (done, key, value) in [
        (r#"{"output":[1,2]}"#, "output", json!([1, 2])),
        (r#"{"output":null}"#, "output", Value::Null),
        (r#"{"error":"boom"}"#, "error", json!("boom")),
    ] {
        let (answer, ()) = tokio::join!(server.post("/v2/ep/runsync", r#"{"input":{"n":1}}"#), async {
            let id = server.get("/v2/ep/job-take/w1").await.ok()["id"].as_str().unwrap().to_owned();
            assert!(id.starts_with("sync-"), "{id}");
            server.post(&format!("/v2/ep/job-done/w1/{id}"), done).await.ok();
        });
        let job = answer.ok();
        assert_eq!(job["status"], if key == "error" { "FAILED" } else { "COMPLETED" });
        assert_eq!(job.get(key), Some(&value), "{job}");
        assert_eq!(job["workerId"], "w1");
    }
}

#[tokio::test]
async fn cancel_reaches_the_worker_that_waits_for_stops() {
    let server = Server::start().await;
    let id = server.queue.submit(crate::support::submission("1")).await.unwrap();
    server.get("/v2/ep/job-take/w1").await.ok();
    let cancel = format!("/v2/ep/cancel/{id}");
    let (stop, cancelled) = tokio::join!(server.get("/v2/ep/job-stop/w1?gpu=x"), server.post(&cancel, ""));
    assert_eq!(stop.ok(), json!({"jobsToStop": [id]}));
    assert_eq!(cancelled.ok(), json!({"id": id, "status": "CANCELLED"}));
    server.post(&format!("/v2/ep/job-done/w1/{id}"), r#"{"output":1}"#).await.ok();
    assert_eq!(server.get(&format!("/v2/ep/status/{id}")).await.ok()["status"], "CANCELLED");
    // A job that has ended is not cancelled, and the answer says where it stands.
    let done = server.queue.submit(crate::support::submission("2")).await.unwrap();
    server.queue.take(&worker("w1"), 1, crate::support::SECOND).await.unwrap();
    server.queue.done(&worker("w1"), &done, output("2")).await.unwrap();
    assert_eq!(server.post(&format!("/v2/ep/cancel/{done}"), "").await.ok()["status"], "COMPLETED");
}

#[tokio::test]
async fn retry_runs_the_original_input_again() {
    let server = Server::start().await;
    let id = server.queue.submit(crate::support::submission(r#"{"n":1}"#)).await.unwrap();
    server.get("/v2/ep/job-take/w1").await.ok();
    let done = format!("/v2/ep/job-done/w1/{id}");
    server.post(&done, r#"{"error":"boom","output":{"half":true}}"#).await.ok();
    let failed = server.get(&format!("/v2/ep/status/{id}")).await.ok();
    assert_eq!((&failed["error"], &failed["output"]), (&json!("boom"), &json!({"half": true})));
    let answer = server.post(&format!("/v2/ep/retry/{id}"), "").await.ok();
    assert_eq!(answer, json!({"id": id, "status": "IN_QUEUE"}));
    assert_eq!(server.get(&format!("/v2/ep/status/{id}")).await.ok(), answer, "the old error is gone");
    assert_eq!(server.get("/v2/ep/job-take/w1").await.ok()["input"], json!({"n": 1}));
    server.post(&done, r#"{"output":2}"#).await.ok();
    let text = server.post(&format!("/v2/ep/retry/{id}"), "").await.refused(400);
    assert!(text.contains("COMPLETED"), "{text}");
}

#[tokio::test]
async fn purge_removes_what_waits_and_nothing_else() {
    let server = Server::start().await;
    let mut ids = Vec::new();
    for n in 0..3 {
        ids.push(server.queue.submit(crate::support::submission(&n.to_string())).await.unwrap());
    }
    server.get("/v2/ep/job-take/w1").await.ok();
    assert_eq!(
        server.post("/v2/ep/purge-queue", "").await.ok(),
        json!({"removed": 2, "status": "completed"})
    );
    assert_eq!(server.get(&format!("/v2/ep/status/{}", ids[0])).await.ok()["status"], "IN_PROGRESS");
    server.get(&format!("/v2/ep/status/{}", ids[1])).await.refused(404);
}

#[tokio::test]
async fn streamed_pieces_are_read_once_and_in_order() {
    let server = Server::start().await;
    let id = server.queue.submit(crate::support::submission("1")).await.unwrap();
    server.get("/v2/ep/job-take/w1").await.ok();
    let post = format!("/v2/ep/job-stream/w1/{id}?gpu=x&isStream=false");
    server.post(&post, r#"{"output":{"n":0}}"#).await.ok();
    server.post(&post, r#"{"output":"one"}"#).await.ok();
    let read = format!("/v2/ep/stream/{id}");
    assert_eq!(
        server.get(&read).await.ok(),
        json!({"status": "IN_PROGRESS", "stream": [{"output": {"n": 0}}, {"output": "one"}]})
    );
    assert_eq!(server.get(&read).await.ok(), json!({"status": "IN_PROGRESS", "stream": []}));
    server.post(&post, r#"{"output":2}"#).await.ok();
    server.post(&format!("/v2/ep/job-done/w1/{id}?gpu=x&isStream=true"), r#"{"output":[]}"#).await.ok();
    assert_eq!(server.get(&read).await.ok(), json!({"status": "COMPLETED", "stream": [{"output": 2}]}));
    // A piece that comes after the end belongs to nobody.
    server.post(&post, r#"{"output":3}"#).await.ok();
    assert_eq!(server.get(&read).await.ok(), json!({"status": "COMPLETED", "stream": []}));
}

#[tokio::test]
async fn health_counts_jobs_and_workers() {
    let server = Server::start().await;
    let empty = json!({
        "jobs": {"completed": 0, "failed": 0, "inProgress": 0, "inQueue": 0, "retried": 0},
        "workers": {"idle": 0, "initializing": 0, "ready": 0, "running": 0, "throttled": 0, "unhealthy": 0},
    });
    assert_eq!(server.get("/v2/ep/health").await.ok(), empty);
    for n in 0..4 {
        server.queue.submit(crate::support::submission(&n.to_string())).await.unwrap();
    }
    for (worker, done) in [("w1", r#"{"output":1}"#), ("w2", r#"{"error":"x"}"#)] {
        let id = server.get(&format!("/v2/ep/job-take/{worker}")).await.ok()["id"].clone();
        server.post(&format!("/v2/ep/job-done/{worker}/{}", id.as_str().unwrap()), done).await.ok();
    }
    server.get("/v2/ep/job-take/w1").await.ok();
    server.queue.expect_worker(&worker("w3"));
    server.get("/v2/ep/ping/w4?status=unhealthy&check=gpu&reason=RuntimeError%3A+gone").await.ok();
    assert_eq!(
        server.get("/v2/ep/health").await.ok(),
        json!({
            "jobs": {"completed": 1, "failed": 1, "inProgress": 1, "inQueue": 1, "retried": 0},
            "workers": {"idle": 1, "initializing": 1, "ready": 2, "running": 1, "throttled": 0, "unhealthy": 1},
        })
    );
}
