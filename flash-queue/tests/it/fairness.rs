//! Who gets how much.

use std::time::Duration;

use flash_core::clock::Clock;
use flash_core::wire::Policy;
use flash_queue::store::Attached;
use flash_queue::{Limits, Queue};

use crate::support::{SECOND, Server, open, output, queue_at_rest, queues, submission, worker};

/// Takes and answers until there is nothing for a moment.
async fn work(queue: Queue, name: &str, most: usize) -> usize {
    let (worker, mut done) = (worker(name), 0);
    loop {
        let jobs = queue.take(&worker, most, SECOND / 5).await.unwrap();
        if jobs.is_empty() {
            return done;
        }
        for job in jobs {
            tokio::task::yield_now().await;
            queue.done(&worker, &job.id, output("1")).await.unwrap();
            done += 1;
        }
    }
}

#[tokio::test]
async fn a_thousand_jobs_are_spread_evenly_over_two_workers() {
    for most in [1, 64] {
        let queue = open(&queues(Clock::real(), Limits::default()), "ep").await;
        let workers = ["a", "b"].map(|name| tokio::spawn(work(queue.clone(), name, most)));
        for n in 0..1_000 {
            queue.submit(submission(&n.to_string())).await.unwrap();
            if n % 10 == 0 {
                tokio::task::yield_now().await;
            }
        }
        let mut shares = Vec::new();
        for worker in workers {
            shares.push(worker.await.unwrap());
        }
        assert_eq!(shares.iter().sum::<usize>(), 1_000);
        assert!(shares.iter().all(|share| (400..=600).contains(share)), "batches of {most}: {shares:?}");
    }
}

#[tokio::test]
async fn a_batch_leaves_a_share_to_who_asked_at_the_same_moment() {
    let (_test, _queues, queue) = queue_at_rest().await;
    let (a, b) = (worker("a"), worker("b"));
    let takes = async { tokio::join!(queue.take(&a, 64, SECOND), queue.take(&b, 64, SECOND)) };
    let submits = async {
        for n in 0..10 {
            queue.submit(submission(&n.to_string())).await.unwrap();
        }
    };
    let ((first, second), ()) = tokio::join!(takes, submits);
    let shares = [first.unwrap().len(), second.unwrap().len()];
    assert!(shares.iter().all(|share| *share >= 2), "{shares:?}");
    // Who asks alone gets all.
    for n in 0..10 {
        queue.submit(submission(&n.to_string())).await.unwrap();
    }
    assert!(queue.take(&a, 64, Duration::ZERO).await.unwrap().len() >= 10);
}

#[tokio::test]
async fn low_priority_waits_and_starts_no_workers() {
    let low = || {
        let policy = Policy { low_priority: Some(true), ..Policy::default() };
        submission("\"low\"").attached(Attached { policy: Some(policy), ..Attached::default() })
    };
    for waits in [true, false] {
        let limits = Limits { low_priority_waits: waits, ..Limits::default() };
        let queue = open(&queues(Clock::real(), limits), "ep").await;
        queue.submit(low()).await.unwrap();
        queue.submit(submission("\"high\"")).await.unwrap();
        let depth = queue.depth().await.unwrap();
        assert_eq!((depth.in_queue, depth.low_priority), (2, 1));
        let first = queue.take(&worker("w"), 1, Duration::ZERO).await.unwrap();
        assert_eq!(first[0].input.as_ref().unwrap().get() == "\"high\"", waits);
        let second = queue.take(&worker("w"), 1, Duration::ZERO).await.unwrap();
        assert_eq!(second.len(), 1);
        // A job of low priority that comes back is counted as one.
        queue.worker_lost(&worker("w")).await.unwrap();
        assert_eq!(queue.depth().await.unwrap().low_priority, 1);
    }
}

#[tokio::test]
async fn requests_lists_what_is_there_without_payloads() {
    let server = Server::start().await;
    let mut ids = Vec::new();
    for n in 0..3 {
        ids.push(server.queue.submit(submission(&n.to_string())).await.unwrap());
    }
    server.get("/v2/ep/job-take/w").await.ok();
    server.queue.done(&worker("w"), &ids[0], output("\"secret\"")).await.unwrap();
    let listed = server.get("/v2/ep/requests").await.ok();
    let of = |n: usize, key: &str| listed["requests"][n][key].as_str().unwrap_or_default().to_owned();
    assert_eq!([of(0, "id"), of(1, "id"), of(2, "id")], [2, 1, 0].map(|n: usize| ids[n].to_string()));
    assert_eq!([of(1, "status"), of(2, "status")], ["IN_QUEUE", "COMPLETED"]);
    assert!(!listed.to_string().contains("secret"));
    let view = server.queue.view(&ids[0]).await.unwrap();
    assert_eq!(view.job.output.unwrap().get(), "\"secret\"");
    let view = server.queue.view(&ids[1]).await.unwrap();
    assert_eq!(view.input.unwrap().get(), "1");
    let synced = server.get(&format!("/v2/ep/status-sync/{}?wait=1000", ids[0])).await.ok();
    assert_eq!(synced["output"], "secret");
}
