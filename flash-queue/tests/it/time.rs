//! Time limits, on a clock that the test moves.

use std::time::Duration;

use flash_core::wire::{JobStatus, Policy};
use flash_queue::store::Attached;
use flash_queue::{QueueError, QueueOptions};

use crate::support::{SECOND, open, output, queue_at_rest, submission, worker};

const MINUTE: Duration = Duration::from_secs(60);

fn policy(execution_timeout: Option<u64>, ttl: Option<u64>) -> Attached {
    let policy = Policy { execution_timeout, ttl, low_priority: None };
    Attached { policy: Some(policy), ..Attached::default() }
}

#[tokio::test]
async fn a_day_passes_and_the_job_is_gone() {
    let (test, _queues, queue) = queue_at_rest().await;
    let id = queue.submit(submission("1")).await.unwrap();
    test.advance(MINUTE * 60 * 24 - SECOND).await;
    assert_eq!(queue.status(&id).await.unwrap().status, JobStatus::InQueue);
    test.advance(SECOND).await;
    assert!(matches!(queue.status(&id).await, Err(QueueError::UnknownJob(_))));
    assert!(queue.take(&worker("w"), 1, Duration::ZERO).await.unwrap().is_empty());
}

#[tokio::test]
async fn a_job_with_its_own_ttl_is_stopped_while_it_runs() {
    let (test, _queues, queue) = queue_at_rest().await;
    let id = queue.submit(submission("1").attached(policy(None, Some(10_000)))).await.unwrap();
    queue.take(&worker("w"), 1, Duration::ZERO).await.unwrap();
    test.advance(SECOND * 10).await;
    assert_eq!(queue.stops(&worker("w"), Duration::ZERO).await, std::slice::from_ref(&id));
    assert!(matches!(queue.status(&id).await, Err(QueueError::UnknownJob(_))));
}

#[tokio::test]
async fn running_too_long_ends_the_job_and_stops_the_worker() {
    let (test, queues, queue) = queue_at_rest().await;
    let short = QueueOptions::new().execution_timeout(MINUTE);
    let by_endpoint = queues.open("short".into(), short).await.unwrap();
    for (queue, attached, limit) in [
        (&queue, Attached::default(), MINUTE * 10),
        (&queue, policy(Some(5_000), None), SECOND * 5),
        (&by_endpoint, Attached::default(), MINUTE),
        (&by_endpoint, policy(Some(7_000), None), SECOND * 7),
    ] {
        let id = queue.submit(submission("1").attached(attached)).await.unwrap();
        test.advance(MINUTE * 20).await;
        let w = worker("w");
        queue.take(&w, 1, Duration::ZERO).await.unwrap();
        test.advance(limit - SECOND).await;
        assert_eq!(queue.status(&id).await.unwrap().status, JobStatus::InProgress);
        test.advance(SECOND).await;
        let job = queue.status(&id).await.unwrap();
        assert_eq!(job.status, JobStatus::TimedOut);
        assert_eq!(job.execution_time, Some(limit.as_millis() as u64));
        assert_eq!(job.delay_time, Some((MINUTE * 20).as_millis() as u64));
        assert_eq!(queue.stops(&w, Duration::ZERO).await, std::slice::from_ref(&id));
        // The worker's late answer is no error, and changes nothing.
        queue.done(&w, &id, output("1")).await.unwrap();
        assert_eq!(queue.status(&id).await.unwrap().status, JobStatus::TimedOut);
    }
}

#[tokio::test]
async fn results_are_kept_for_their_time() {
    let (test, _queues, queue) = queue_at_rest().await;
    let w = worker("w");
    let sync = queue.run_sync(submission("1"), Duration::ZERO).await.unwrap().id;
    let run = queue.submit(submission("2")).await.unwrap();
    for job in queue.take(&w, 2, Duration::ZERO).await.unwrap() {
        queue.done(&w, &job.id, output("1")).await.unwrap();
    }
    test.advance(MINUTE - SECOND).await;
    queue.status(&sync).await.unwrap();
    test.advance(SECOND).await;
    assert!(queue.status(&sync).await.is_err(), "a minute for /runsync");
    queue.status(&run).await.unwrap();
    test.advance(MINUTE * 29).await;
    assert!(queue.status(&run).await.is_err(), "half an hour for /run");
    assert_eq!(queue.health().await.unwrap().jobs.completed, 2);
}

#[tokio::test]
async fn runsync_gives_up_waiting_but_not_the_job() {
    let (test, _queues, queue) = queue_at_rest().await;
    let waiting = tokio::spawn({
        let queue = queue.clone();
        async move { queue.run_sync(submission("1"), SECOND * 90).await.unwrap() }
    });
    test.sleeping_for(SECOND * 90).await;
    test.advance(SECOND * 90).await;
    let job = waiting.await.unwrap();
    assert_eq!(job.status, JobStatus::InQueue);
    // The next one who waits gets it.
    let (end, ()) = tokio::join!(queue.wait(&job.id, MINUTE), async {
        queue.take(&worker("w"), 1, Duration::ZERO).await.unwrap();
        queue.done(&worker("w"), &job.id, output("7")).await.unwrap();
    });
    assert_eq!(end.unwrap().output.unwrap().get(), "7");
}

#[tokio::test]
async fn those_who_wait_for_a_job_hear_of_every_kind_of_end() {
    let (test, _queues, queue) = queue_at_rest().await;
    for end in ["cancel", "purge", "ttl", "lost"] {
        let attached = policy(None, Some(10_000));
        let id = queue.submit(submission("1").attached(attached)).await.unwrap();
        let waiting = tokio::spawn({
            let (queue, id) = (queue.clone(), id.clone());
            async move { queue.wait(&id, MINUTE).await.unwrap() }
        });
        test.sleeping_for(MINUTE).await;
        let w = worker("w");
        let expected = match end {
            "cancel" => {
                queue.cancel(&id).await.unwrap();
                JobStatus::Cancelled
            }
            "purge" => {
                assert_eq!(queue.purge().await.unwrap(), 1);
                JobStatus::Cancelled
            }
            "ttl" => {
                test.advance(SECOND * 10).await;
                JobStatus::TimedOut
            }
            _ => {
                for _ in 0..2 {
                    assert_eq!(queue.take(&w, 1, Duration::ZERO).await.unwrap()[0].id, id);
                    assert_eq!(queue.worker_lost(&w).await.unwrap(), 1);
                }
                JobStatus::Failed
            }
        };
        assert_eq!(waiting.await.unwrap().status, expected, "{end}");
    }
}

#[tokio::test]
async fn an_idle_take_is_held_and_then_answered_empty() {
    let (test, _queues, queue) = queue_at_rest().await;
    let taking = tokio::spawn({
        let queue = queue.clone();
        async move { queue.take(&worker("w"), 1, SECOND * 30).await.unwrap() }
    });
    test.sleeping_for(SECOND * 30).await;
    test.advance(SECOND * 30).await;
    assert!(taking.await.unwrap().is_empty());
}

#[tokio::test]
async fn an_open_queue_is_the_same_queue() {
    let (_test, queues, queue) = queue_at_rest().await;
    queue.submit(submission("1")).await.unwrap();
    assert_eq!(open(&queues, "ep").await.health().await.unwrap().jobs.in_queue, 1);
    queues.close("ep");
    assert!(queues.get("ep").is_none());
    assert_eq!(open(&queues, "ep").await.health().await.unwrap().jobs.in_queue, 1, "the store keeps them");
}
