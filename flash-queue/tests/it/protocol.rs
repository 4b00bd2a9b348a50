//! What workers do that is not in the book: URLs without `?`, bodies of any content type, bad results.

use axum::body::Body;
use flash_core::wire::{DoneBody, JobStatus};
use flash_queue::limits::Oversized;
use flash_queue::{Limits, QueueError};
use serde_json::json;

use crate::support::{SECOND, Server, open, output, payload, queues, submission, worker};

#[tokio::test]
async fn batches_are_taken_in_order_and_never_longer_than_asked() {
    let server = Server::start().await;
    for n in 0..4 {
        server.queue.submit(submission(&n.to_string())).await.unwrap();
    }
    let inputs = |answer: serde_json::Value| -> Vec<i64> {
        answer.as_array().unwrap().iter().map(|job| job["input"].as_i64().unwrap()).collect()
    };
    let batch = server.get("/v2/ep/job-take-batch/w1?gpu=A+B&batch_size=3&job_in_progress=0").await.ok();
    assert_eq!(inputs(batch), [0, 1, 2]);
    // The URL had no `?`, so the parameters landed in the path.
    let batch = server.get("/v2/ep/job-take-batch/w1&batch_size=3&job_in_progress=1").await.ok();
    assert_eq!(inputs(batch), [3]);
    server.get("/v2/ep/job-take-batch/w1?batch_size=many").await.refused(400);
}

#[tokio::test]
async fn parameters_in_the_path_and_unreplaced_names_are_no_problem() {
    let server = Server::start().await;
    let id = server.queue.submit(submission("1")).await.unwrap();
    let taken = server.get("/v2/ep/job-take/$RUNPOD_POD_ID&job_in_progress=0").await.ok();
    assert_eq!(taken["id"], json!(id));
    server.post(&format!("/v2/ep/job-done/w1/{id}&isStream=false"), r#"{"output":1}"#).await.ok();
    assert_eq!(server.queue.status(&id).await.unwrap().status, JobStatus::Completed);
}

#[tokio::test]
async fn a_result_counts_whatever_its_content_type() {
    let server = Server::start().await;
    let id = server.queue.submit(submission("1")).await.unwrap();
    server.get("/v2/ep/job-take/w1").await.ok();
    let request = server
        .request("POST", &format!("/v2/ep/job-done/w1/{id}?isStream=false"))
        .header("content-type", "application/x-www-form-urlencoded")
        .header("charset", "utf-8")
        .header("authorization", "KEY")
        .body(Body::from(r#"{"output": {"uni": "é"}}"#));
    server.send(request.unwrap()).await.ok();
    assert_eq!(server.queue.status(&id).await.unwrap().output.unwrap().get(), r#"{"uni": "é"}"#);
}

#[tokio::test]
async fn an_empty_input_does_not_reach_the_worker() {
    for strip in [true, false] {
        let limits = Limits { strip_empty_input: strip, ..Limits::default() };
        let queue = open(&queues(flash_core::clock::Clock::real(), limits), "ep").await;
        queue.submit(submission("{ }")).await.unwrap();
        let jobs = queue.take(&worker("w"), 1, SECOND).await.unwrap();
        assert_eq!(jobs[0].input.is_none(), strip);
    }
}

#[tokio::test]
async fn what_came_with_the_input_reaches_the_worker() {
    let server = Server::start().await;
    let body = json!({
        "input": {"a": 1},
        "webhook": "https://example.com/hook",
        "policy": {"executionTimeout": 60_000},
        "s3Config": {"accessId": "x"},
        "batchId": "batch_1",
    });
    server.post("/v2/ep/run", body.to_string()).await.ok();
    let mut taken = server.get("/v2/ep/job-take/w1").await.ok();
    let envelope = taken.as_object_mut().unwrap();
    envelope.remove("id");
    envelope.remove("delayTime");
    assert_eq!(taken, body);
}

#[tokio::test]
async fn an_oversized_result_vanishes_or_fails() {
    for (oversized, status) in [(Oversized::Vanish, "COMPLETED"), (Oversized::Fail, "FAILED")] {
        let limits = Limits { run_result: 100, oversized_result: oversized, ..Limits::default() };
        let queues = queues(flash_core::clock::Clock::real(), limits);
        let queue = open(&queues, "ep").await;
        let id = queue.submit(submission("1")).await.unwrap();
        queue.take(&worker("w"), 1, SECOND).await.unwrap();
        let large = output(&format!("{:?}", "x".repeat(200)));
        let error = queue.done(&worker("w"), &id, large).await.unwrap_err();
        assert!(matches!(error, QueueError::ResultTooLarge { size: 202, limit: 100, .. }), "{error:?}");
        let job = queue.status(&id).await.unwrap();
        assert_eq!((job.status.as_str(), job.output), (status, None));
        assert_eq!(job.error.is_some(), oversized == Oversized::Fail);
    }
}

#[tokio::test]
async fn a_result_too_large_to_be_read_ends_the_job_too() {
    let limits = Limits { runsync_result: 1_000, run_result: 500, ..Limits::default() };
    let server =
        Server::with(flash_core::clock::Clock::real(), limits, flash_queue::routes::Auth::open()).await;
    let id = server.queue.submit(submission("1")).await.unwrap();
    server.get("/v2/ep/job-take/w1").await.ok();
    let body = format!(r#"{{"output":{:?}}}"#, "x".repeat(2_000_000));
    let text = server.post(&format!("/v2/ep/job-done/w1/{id}"), body.clone()).await.refused(400);
    assert_eq!(text, format!("result of {} bytes is over the limit of 500 bytes", body.len()));
    assert_eq!(server.queue.status(&id).await.unwrap().status, JobStatus::Completed);
}

#[tokio::test]
async fn an_error_that_is_not_a_string_is_lost() {
    let server = Server::start().await;
    let id = server.queue.submit(submission("1")).await.unwrap();
    server.get("/v2/ep/job-take/w1").await.ok();
    server.post(&format!("/v2/ep/job-done/w1/{id}"), r#"{"output":1,"error":{"code":3}}"#).await.ok();
    let job = server.get(&format!("/v2/ep/status/{id}")).await.ok();
    assert_eq!((&job["status"], job.get("output"), job.get("error")), (&json!("COMPLETED"), None, None));
}

#[tokio::test]
async fn a_stream_that_nobody_reads_pushes_back() {
    let limits = Limits { stream_backlog: 10, ..Limits::default() };
    let queue = open(&queues(flash_core::clock::Clock::real(), limits), "ep").await;
    let id = queue.submit(submission("1")).await.unwrap();
    let w = worker("w");
    queue.take(&w, 1, SECOND).await.unwrap();
    queue.push(&w, &id, payload("12345678")).await.unwrap();
    let error = queue.push(&w, &id, payload("123")).await.unwrap_err();
    assert!(matches!(error, QueueError::StreamFull { limit: 10 }), "{error:?}");
    assert_eq!(queue.stream(&id).await.unwrap().stream.len(), 1);
    queue.push(&w, &id, payload("123")).await.unwrap();
}

#[tokio::test]
async fn a_dropped_take_takes_nothing() {
    let queue = open(&flash_queue::Queues::memory(), "ep").await;
    let (gone, other) = (worker("gone"), worker("other"));
    {
        let take = std::pin::pin!(queue.take(&gone, 1, SECOND));
        let polled = futures_poll(take);
        assert!(polled, "it waits");
    }
    let id = queue.submit(submission("1")).await.unwrap();
    assert_eq!(queue.take(&other, 1, SECOND).await.unwrap()[0].id, id);
    queue.done(&other, &id, DoneBody::output(payload("1"))).await.unwrap();
}

/// Polls once, and says whether the future waits.
fn futures_poll<F: Future>(future: std::pin::Pin<&mut F>) -> bool {
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    future.poll(&mut context).is_pending()
}
