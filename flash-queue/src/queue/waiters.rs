//! Those who wait for the end of a job.

use std::collections::HashMap;
use std::pin::Pin;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready};

use flash_core::ids::JobId;
use flash_core::wire::Job;
use tokio::sync::oneshot;

use crate::Payload;

#[derive(Debug)]
struct Waiter {
    end: oneshot::Sender<Job<Payload>>,
    /// Hardly ever does more than one caller wait for the same job.
    others: Vec<oneshot::Sender<Job<Payload>>>,
}

#[derive(Debug, Default)]
pub(super) struct Waiters {
    jobs: Mutex<HashMap<JobId, Waiter>>,
}

/// A place among the waiters of a job, given back when it is dropped.
#[derive(Debug)]
pub(super) struct Waiting<'a> {
    waiters: &'a Waiters,
    id: &'a JobId,
    end: oneshot::Receiver<Job<Payload>>,
    served: bool,
}

impl Waiters {
    /// Takes a place. The end of the job is not missed from now on.
    pub(super) fn join<'a>(&'a self, id: &'a JobId) -> Waiting<'a> {
        let (sender, end) = oneshot::channel();
        let mut jobs = self.lock();
        match jobs.get_mut(id) {
            Some(waiter) => waiter.others.push(sender),
            None => drop(jobs.insert(id.clone(), Waiter { end: sender, others: Vec::new() })),
        }
        Waiting { waiters: self, id, end, served: false }
    }

    /// Tells everybody who waits for this job.
    pub(super) fn ended(&self, job: Job<Payload>) {
        let Some(waiter) = self.lock().remove(&job.id) else { return };
        // Who is not there any more does not need it.
        for other in waiter.others {
            let _ = other.send(job.clone());
        }
        let _ = waiter.end.send(job);
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<JobId, Waiter>> {
        self.jobs.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The job's end. By hand, because an `async fn` would have room for the job twice.
impl Future for Waiting<'_> {
    type Output = Job<Payload>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Job<Payload>> {
        match ready!(Pin::new(&mut self.end).poll(cx)) {
            Ok(job) => {
                self.served = true;
                Poll::Ready(job)
            }
            // The sender lives in the table until it is used.
            Err(_) => Poll::Pending,
        }
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        if self.served {
            return;
        }
        self.end.close();
        let mut jobs = self.waiters.lock();
        let Some(waiter) = jobs.get_mut(self.id) else { return };
        waiter.others.retain(|other| !other.is_closed());
        if waiter.end.is_closed() {
            match waiter.others.pop() {
                Some(other) => waiter.end = other,
                None => drop(jobs.remove(self.id)),
            }
        }
    }
}
