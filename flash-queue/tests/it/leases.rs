//! Workers that are lost: told so, or silent for too long.

use std::time::Duration;

use flash_core::clock::TestClock;
use flash_core::wire::JobStatus;
use flash_queue::Limits;
use flash_queue::routes::Auth;
use serde_json::json;

use crate::support::{SECOND, Server, output, queue_at_rest, submission, worker};

async fn server_at_rest() -> (TestClock, Server) {
    let test = TestClock::new();
    let server = Server::with(test.clock(), Limits::default(), Auth::open()).await;
    (test, server)
}

#[tokio::test]
async fn a_silent_worker_loses_its_job_once_and_then_the_job_fails() {
    let (test, server) = server_at_rest().await;
    let id = server.queue.submit(submission("1")).await.unwrap();
    for retries in [1, 2] {
        server.get("/v2/ep/job-take/w1").await.ok();
        test.sleeping_until(test.now() + SECOND * 45).await;
        test.advance(SECOND * 44).await;
        assert_eq!(server.queue.status(&id).await.unwrap().status, JobStatus::InProgress, "{retries}");
        test.advance(SECOND).await;
        assert_ne!(server.queue.status(&id).await.unwrap().status, JobStatus::InProgress, "{retries}");
    }
    let job = server.get(&format!("/v2/ep/status/{id}")).await.ok();
    assert_eq!(
        job,
        json!({
            "id": id, "status": "FAILED", "delayTime": 45_000, "executionTime": 45_000, "workerId": "w1",
            "error": "job timed out after 1 retries", "retries": 1,
        })
    );
    assert_eq!(server.queue.health().await.unwrap().jobs.retried, 1);
}

#[tokio::test]
async fn pings_keep_a_job() {
    let (test, server) = server_at_rest().await;
    let id = server.queue.submit(submission("1")).await.unwrap();
    server.get("/v2/ep/job-take/w1").await.ok();
    for _ in 0..10 {
        test.advance(SECOND * 40).await;
        server.get(&format!("/v2/ep/ping/w1?gpu=x&job_id={id}&runpod_version=1.12.0")).await.ok();
    }
    assert_eq!(server.queue.status(&id).await.unwrap().status, JobStatus::InProgress);
    test.advance(SECOND * 45).await;
    assert_eq!(server.queue.status(&id).await.unwrap().status, JobStatus::InQueue);
}

#[tokio::test]
async fn a_job_that_its_worker_does_not_know_of_is_dispatched_again() {
    let (test, server) = server_at_rest().await;
    let id = server.queue.submit(submission("1")).await.unwrap();
    // Taken, but the answer never reached the worker, which lives and takes other jobs.
    server.get("/v2/ep/job-take/w1").await.ok();
    for seconds in [0, 10, 10, 10, 10] {
        test.advance(SECOND * seconds).await;
        server.get("/v2/ep/ping/w1?gpu=x&runpod_version=1.12.0").await.ok();
        assert_eq!(server.queue.status(&id).await.unwrap().status, JobStatus::InProgress);
    }
    test.advance(SECOND * 5).await;
    server.get("/v2/ep/ping/w1?gpu=x&job_id=another%2Cone&runpod_version=1.12.0").await.ok();
    let job = server.queue.status(&id).await.unwrap();
    assert_eq!((job.status, job.retries), (JobStatus::InQueue, Some(1)));
}

#[tokio::test]
async fn a_worker_that_waits_for_an_answer_is_not_silent() {
    let (test, server) = server_at_rest().await;
    let id = server.queue.submit(submission("1")).await.unwrap();
    let w = worker("w1");
    server.get("/v2/ep/job-take/w1").await.ok();
    let contact = server.queue.contact(&w);
    test.advance(SECOND * 500).await;
    assert_eq!(server.queue.status(&id).await.unwrap().status, JobStatus::InProgress);
    drop(contact);
    test.advance(SECOND * 45).await;
    assert_eq!(server.queue.status(&id).await.unwrap().status, JobStatus::InQueue);
}

#[tokio::test]
async fn a_worker_in_this_process_needs_no_pings() {
    let (test, _queues, queue) = queue_at_rest().await;
    let id = queue.submit(submission("1")).await.unwrap();
    queue.take(&worker("w"), 1, Duration::ZERO).await.unwrap();
    test.advance(SECOND * 599).await;
    assert_eq!(queue.status(&id).await.unwrap().status, JobStatus::InProgress);
}

#[tokio::test]
async fn the_jobs_of_a_lost_worker_come_first_and_keep_their_order() {
    let (_test, _queues, queue) = queue_at_rest().await;
    for n in 0..5 {
        queue.submit(submission(&n.to_string())).await.unwrap();
    }
    let (a, b) = (worker("a"), worker("b"));
    assert_eq!(queue.take(&a, 3, Duration::ZERO).await.unwrap().len(), 3);
    assert_eq!(queue.worker_lost(&a).await.unwrap(), 3);
    let jobs = queue.take(&b, 9, Duration::ZERO).await.unwrap();
    let inputs: Vec<_> = jobs.iter().map(|job| job.input.as_ref().unwrap().get()).collect();
    assert_eq!(inputs, ["0", "1", "2", "3", "4"]);
    // The worker was not dead after all: its answer counts, and the second one's does not.
    queue.done(&a, &jobs[0].id, output("\"first\"")).await.unwrap();
    queue.done(&b, &jobs[0].id, output("\"second\"")).await.unwrap();
    assert_eq!(queue.status(&jobs[0].id).await.unwrap().output.unwrap().get(), "\"first\"");
    assert_eq!(queue.stops(&b, Duration::ZERO).await, [jobs[0].id.clone()]);
}

#[tokio::test]
async fn a_waiting_worker_gets_the_job_of_a_lost_one() {
    let (_test, _queues, queue) = queue_at_rest().await;
    let id = queue.submit(submission("1")).await.unwrap();
    let (a, b) = (worker("a"), worker("b"));
    queue.take(&a, 1, Duration::ZERO).await.unwrap();
    let (jobs, lost) = tokio::join!(queue.take(&b, 1, SECOND), queue.worker_lost(&a));
    assert_eq!((jobs.unwrap()[0].id.clone(), lost.unwrap()), (id, 1));
}
