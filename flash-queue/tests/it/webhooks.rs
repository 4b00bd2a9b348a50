//! Webhooks: who is called, when, how often, and with what.

use std::collections::VecDeque;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use flash_core::clock::{Clock, TestClock, Timestamp};
use flash_core::wire::{DoneBody, JobStatus};
use flash_queue::store::Attached;
use flash_queue::{Deliver, Limits, MemoryStore, Queue, QueueOptions, Queues, Submission};
use serde_json::Value;
use tokio::sync::watch;

use crate::support::{SECOND, output, submission, worker};

type Call = (Timestamp, String, Value);

/// A receiver that answers as it is told, and 200 after that.
#[derive(Debug)]
struct Receiver {
    answers: Mutex<VecDeque<Result<u16, String>>>,
    calls: watch::Sender<Vec<Call>>,
    clock: Clock,
}

impl Deliver for Receiver {
    fn post(&self, url: String, body: Vec<u8>) -> Pin<Box<dyn Future<Output = Result<u16, String>> + Send>> {
        let body = serde_json::from_slice(&body).unwrap();
        let now = self.clock.now();
        self.calls.send_modify(|calls| calls.push((now, url, body)));
        let answer = self.answers.lock().unwrap().pop_front().unwrap_or(Ok(200));
        Box::pin(async move {
            match answer {
                Ok(0) => std::future::pending().await,
                answer => answer,
            }
        })
    }
}

impl Receiver {
    /// Waits for so many calls.
    async fn calls(&self, count: usize) -> Vec<Call> {
        self.calls.subscribe().wait_for(|calls| calls.len() >= count).await.unwrap().clone()
    }
}

async fn queue(answers: Vec<Result<u16, String>>) -> (TestClock, Arc<Receiver>, Queues, Queue) {
    let test = TestClock::new();
    let receiver = Arc::new(Receiver {
        answers: Mutex::new(answers.into()),
        calls: watch::Sender::default(),
        clock: test.clock(),
    });
    let limits = Limits::default();
    let queues =
        Queues::new(Arc::new(MemoryStore::new(&limits)), test.clock(), limits).webhooks(receiver.clone());
    let queue = queues.open("ep".into(), QueueOptions::new()).await.unwrap();
    (test, receiver, queues, queue)
}

fn hooked() -> Submission {
    let webhook = Some("http://example.com/hook".to_owned());
    submission("1").attached(Attached { webhook, ..Attached::default() })
}

#[tokio::test]
async fn a_receiver_that_fails_twice_is_called_three_times() {
    let (test, receiver, _queues, queue) = queue(vec![Ok(500), Err("refused".to_owned())]).await;
    let start = test.now();
    let id = queue.submit(hooked()).await.unwrap();
    queue.take(&worker("w"), 1, Duration::ZERO).await.unwrap();
    queue.done(&worker("w"), &id, output("7")).await.unwrap();
    for calls in [1, 2] {
        receiver.calls(calls).await;
        test.sleeping_for(SECOND * 10).await;
        test.advance(SECOND * 10).await;
    }
    let calls = receiver.calls(3).await;
    let at: Vec<_> = calls.iter().map(|(at, ..)| at.since(start).as_secs()).collect();
    assert_eq!(at, [0, 10, 20]);
    let status = serde_json::to_value(queue.status(&id).await.unwrap()).unwrap();
    for (_, url, body) in &calls {
        assert_eq!((url.as_str(), body), ("http://example.com/hook", &status));
    }
    test.advance(SECOND * 100).await;
    assert_eq!(receiver.calls(3).await.len(), 3, "it answered 200, and is called no more");
}

#[tokio::test]
async fn a_receiver_that_never_answers_200_is_given_up() {
    // No answer at all, an answer that is not 200, and one more.
    let (test, receiver, _queues, queue) = queue(vec![Ok(0), Ok(204), Ok(404)]).await;
    let id = queue.submit(hooked()).await.unwrap();
    queue.cancel(&id).await.unwrap();
    receiver.calls(1).await;
    test.sleeping_for(SECOND * 30).await;
    test.advance(SECOND * 600).await;
    let calls = receiver.calls(3).await;
    assert_eq!(calls.len(), 3);
    assert_eq!(calls[1].0.since(calls[0].0), SECOND * 40, "30 s without an answer, and the pause");
    assert_eq!(calls[2].0.since(calls[1].0), SECOND * 10);
}

#[tokio::test]
async fn every_kind_of_end_is_told_and_only_the_end() {
    let (test, receiver, _queues, queue) = queue(vec![]).await;
    let w = worker("w");
    for (n, end) in ["failed", "cancelled", "purged", "lost", "overdue", "expired"].into_iter().enumerate() {
        let id = queue.submit(hooked()).await.unwrap();
        if !["cancelled", "purged"].contains(&end) {
            queue.take(&w, 1, Duration::ZERO).await.unwrap();
            queue.done(&w, &id, DoneBody::progress(crate::support::payload("1"))).await.unwrap();
        }
        assert_eq!(receiver.calls(n).await.len(), n, "nothing is told before the end");
        match end {
            "failed" => drop(queue.done(&w, &id, DoneBody::error("boom")).await.unwrap()),
            "cancelled" => drop(queue.cancel(&id).await.unwrap()),
            "purged" => drop(queue.purge().await.unwrap()),
            "lost" => {
                queue.worker_lost(&w).await.unwrap();
                queue.take(&w, 1, Duration::ZERO).await.unwrap();
                queue.worker_lost(&w).await.unwrap();
            }
            "overdue" => test.advance(SECOND * 600).await,
            _ => test.advance(SECOND * 600).await,
        }
        let (_, _, job) = receiver.calls(n + 1).await[n].clone();
        let expected = match end {
            "failed" | "lost" => JobStatus::Failed,
            "cancelled" | "purged" => JobStatus::Cancelled,
            _ => JobStatus::TimedOut,
        };
        assert_eq!(
            (job["id"].as_str(), job["status"].as_str()),
            (Some(id.as_str()), Some(expected.as_str())),
            "{end}"
        );
    }
}
