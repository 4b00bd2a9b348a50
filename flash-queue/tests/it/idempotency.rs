//! Handing a job in twice.

use axum::body::Body;
use flash_queue::Limits;
use serde_json::json;

use crate::support::{SECOND, Server, output, queue_at_rest, submission, worker};

async fn run(server: &Server, path: &str, key: &str, body: &'static str) -> crate::support::Answer {
    let request = server.request("POST", path).header("idempotency-key", key);
    server.send(request.body(Body::from(body)).unwrap()).await
}

#[tokio::test]
async fn the_same_key_is_the_same_job() {
    let server = Server::start().await;
    let first = run(&server, "/v2/ep/run", "k", r#"{"input":1}"#).await.ok();
    assert_eq!(run(&server, "/v2/ep/run", "k", r#"{"input":1}"#).await.ok(), first);
    assert_ne!(run(&server, "/v2/ep/run", "other", r#"{"input":1}"#).await.ok(), first);
    let text = run(&server, "/v2/ep/run", "k", r#"{"input":2}"#).await.refused(422);
    assert!(text.contains(first["id"].as_str().unwrap()) && text.contains("another input"), "{text}");
    assert_eq!(server.queue.health().await.unwrap().jobs.in_queue, 2);
    for bad in ["", &"k".repeat(256)] {
        let text = run(&server, "/v2/ep/run", bad, r#"{"input":1}"#).await.refused(400);
        assert!(text.contains("1 to 255"), "{text}");
    }
}

#[tokio::test]
async fn a_repeated_runsync_waits_for_the_job_that_is_there() {
    let server = Server::start().await;
    let body = r#"{"input":{"a":1,"__flash":{"key":"k"}}}"#;
    let id = server.post("/v2/ep/run", body).await.ok()["id"].clone();
    let (again, ()) = tokio::join!(server.post("/v2/ep/runsync", body), async {
        let jobs = server.queue.take(&worker("w"), 9, SECOND).await.unwrap();
        assert_eq!(jobs.len(), 1);
        server.queue.done(&worker("w"), &jobs[0].id, output("7")).await.unwrap();
    });
    let again = again.ok();
    assert_eq!((&again["id"], &again["output"]), (&id, &json!(7)));
    // The job has ended, and its result is there for who asks once more.
    assert_eq!(server.post("/v2/ep/runsync", body).await.ok()["output"], json!(7));
}

#[tokio::test]
async fn a_key_is_free_again_when_its_job_is_gone() {
    let (test, _queues, queue) = queue_at_rest().await;
    let keyed = || submission("1").idempotency_key("k");
    let id = queue.submit(keyed()).await.unwrap();
    assert_eq!(queue.submit(keyed()).await.unwrap(), id);
    queue.cancel(&id).await.unwrap();
    test.advance(SECOND * 1_799).await;
    assert_eq!(queue.submit(keyed()).await.unwrap(), id);
    test.advance(SECOND).await;
    assert_ne!(queue.submit(keyed()).await.unwrap(), id);
}

#[tokio::test]
async fn keys_are_ignored_where_that_is_asked_for() {
    let limits = Limits { idempotency_keys: false, ..Limits::default() };
    let server =
        Server::with(flash_core::clock::Clock::real(), limits, flash_queue::routes::Auth::open()).await;
    for _ in 0..2 {
        run(&server, "/v2/ep/run", "k", r#"{"input":1}"#).await.ok();
    }
    assert_eq!(server.queue.health().await.unwrap().jobs.in_queue, 2);
}
