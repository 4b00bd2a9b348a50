//! Rate limits, as the platform's table has them.

use std::time::Duration;

use axum::body::Body;
use flash_core::clock::{Clock, TestClock};
use flash_queue::limits::Rate;
use flash_queue::routes::Auth;
use flash_queue::{Limits, Operation, QueueError};

use crate::support::{SECOND, Server, open, queues};

const RUN: &str = r#"{"input":1}"#;

async fn server(limits: Limits) -> (TestClock, Server) {
    let test = TestClock::new();
    let server = Server::with(test.clock(), limits, Auth::open()).await;
    (test, server)
}

#[tokio::test]
async fn a_window_has_so_many_requests_and_the_next_one_has_as_many() {
    let (test, server) = server(Limits { rate_run: Rate::new(3, 0), ..Limits::default() }).await;
    for left in [2, 1, 0] {
        let response = server.raw("POST", "/v2/ep/run", RUN).await;
        assert_eq!(response.status(), 200);
        assert_eq!(response.headers()["ratelimit"], format!("\"default\";r={left};t=10"));
        assert_eq!(response.headers()["ratelimit-policy"], "\"default\";q=3;w=10");
    }
    test.advance(SECOND * 4).await;
    let response = server.raw("POST", "/v2/ep/run", RUN).await;
    assert_eq!((response.status().as_u16(), response.headers()["retry-after"].to_str().unwrap()), (429, "6"));
    let text = server.post("/v2/ep/run", RUN).await.refused(429);
    assert!(text.contains("/run: 3 are served in 10 s") && text.contains("again in 6 s"), "{text}");
    server.get("/v2/ep/health").await.ok();
    test.advance(SECOND * 6).await;
    server.post("/v2/ep/run", RUN).await.ok();
    // The developer's own endpoint is not limited.
    for _ in 0..5 {
        server.post("/inference/run", RUN).await.ok();
    }
    assert_eq!(server.queue.health().await.unwrap().jobs.in_queue, 9);
}

#[tokio::test]
async fn the_documented_limits_hold_by_default() {
    let (_test, server) = server(Limits::default()).await;
    for _ in 0..2 {
        server.post("/v2/ep/purge-queue", Body::empty()).await.ok();
    }
    server.post("/v2/ep/purge-queue", Body::empty()).await.refused(429);
    for _ in 0..100 {
        assert_eq!(server.post("/v2/ep/cancel/no", Body::empty()).await.status, 404);
    }
    server.post("/v2/ep/cancel/no", Body::empty()).await.refused(429);
    for _ in 0..10 {
        server.get("/v2/ep/requests").await.ok();
    }
    server.get("/v2/ep/requests").await.refused(429);
}

#[tokio::test]
async fn so_many_are_served_at_the_same_time() {
    let limits = Limits { rate_status: Rate::new(100, 2), ..Limits::default() };
    let queue = open(&queues(Clock::real(), limits), "ep").await;
    let first = queue.admit(Operation::Status).unwrap().unwrap();
    let _second = queue.admit(Operation::Status).unwrap().unwrap();
    let Err(QueueError::RateLimited { limit, .. }) = queue.admit(Operation::Status) else { panic!() };
    assert_eq!(limit, "2 are served at the same time");
    assert!(queue.admit(Operation::Stream).is_ok(), "each operation has its own");
    drop(first);
    assert_eq!(
        queue.admit(Operation::Status).unwrap().unwrap().remaining,
        97,
        "what was refused did not count"
    );
}

#[tokio::test]
async fn workers_raise_the_limit_and_a_switch_takes_it_away() {
    let limits = Limits { rate_run: Rate::new(3, 0), rate_per_worker: 2, ..Limits::default() };
    let queue = open(&queues(Clock::real(), limits.clone()), "ep").await;
    assert_eq!(queue.admit(Operation::Run).unwrap().unwrap().limit, 3);
    for worker in ["a", "b"] {
        queue.take(&worker.into(), 1, Duration::ZERO).await.unwrap();
    }
    assert_eq!(queue.admit(Operation::Run).unwrap().unwrap().limit, 4);
    let free = open(&queues(Clock::real(), Limits { rate_limits: false, ..limits }), "ep").await;
    assert!(free.admit(Operation::Run).unwrap().is_none());
}
