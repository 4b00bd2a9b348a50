//! The machine itself.

use std::sync::Arc;

use flash_core::clock::Timestamp;
use flash_core::ids::WorkerId;
use flash_core::wire::JobStatus;

use super::{Effects, Event, JobState, Outcome, Place};
use crate::Payload;
use crate::limits::{Limits, Overdue};

/// What the machine needs of the limits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rules {
    /// How often a job is dispatched again after its worker was lost.
    pub lost_worker_retries: u32,
    /// Where a job ends that ran too long.
    pub overdue: Overdue,
    /// Whether a job whose ttl is over is removed, or ends as `TIMED_OUT`.
    pub ttl_removes: bool,
    /// Whether jobs of low priority are taken only when no other one waits.
    pub low_priority_waits: bool,
}

impl From<&Limits> for Rules {
    fn from(limits: &Limits) -> Self {
        Self {
            lost_worker_retries: limits.lost_worker_retries,
            overdue: limits.overdue_status,
            ttl_removes: limits.ttl_removes,
            low_priority_waits: limits.low_priority_waits,
        }
    }
}

impl Rules {
    /// When time alone will do something to `job` ([`Event::Tick`]).
    pub fn due(&self, job: &JobState) -> Timestamp {
        let expiry = job.submitted + job.terms.ttl;
        match (job.status, job.taken, job.ended) {
            (JobStatus::InProgress, Some(taken), _) => expiry.min(taken + job.terms.execution_timeout),
            (_, _, Some(ended)) if self.ttl_removes => expiry.min(ended + job.terms.retention),
            (_, _, Some(ended)) => ended + job.terms.retention,
            _ => expiry,
        }
    }

    /// Lets `event` happen to `job`.
    pub fn step(&self, job: &mut JobState, event: Event<'_>, now: Timestamp) -> Effects {
        use JobStatus::{Cancelled, Completed, Failed, InProgress, InQueue, TimedOut};
        match (job.status, event) {
            (InQueue, Event::Taken(worker)) => {
                job.status = InProgress;
                job.taken = Some(now);
                job.worker = Some(worker.clone());
                Effects::applied()
            }
            (InProgress, Event::Progress(worker, output)) if job.is_held_by(worker) => {
                Effects { outcome: Some(Outcome { output, error: None }), ..Effects::applied() }
            }
            (InProgress, Event::Completed(worker, output)) => {
                // A worker that was taken for lost and answers after all has done the work; the second run is moot.
                let stop = if job.is_held_by(worker) { None } else { job.worker.replace(worker.clone()) };
                Effects { stop, ..end(job, Completed, now, output, None) }
            }
            (InQueue, Event::Completed(worker, output)) if had(job, worker) => {
                end(job, Completed, now, output, None)
            }
            (InProgress, Event::Failed(worker, error, output)) if job.is_held_by(worker) => {
                end(job, Failed, now, output, Some(error))
            }
            (InProgress, Event::Returned(worker)) if job.is_held_by(worker) => {
                job.status = InQueue;
                (job.taken, job.worker) = (None, None);
                requeued(Place::Front)
            }
            (InProgress, Event::WorkerLost(worker)) if job.is_held_by(worker) => self.lost(job, now),
            (InQueue, Event::Unreadable(error)) => end(job, Failed, now, None, Some(error)),
            (InQueue, Event::Cancel) => end(job, Cancelled, now, None, None),
            (InProgress, Event::Cancel) => stopped(job, |job| end(job, Cancelled, now, None, None)),
            (InQueue, Event::Purge) => Effects { remove: true, ..end(job, Cancelled, now, None, None) },
            (Failed | TimedOut, Event::Retry) => {
                *job = JobState::submitted(now, job.terms);
                requeued(Place::Back)
            }
            (_, Event::Retry) => Effects::refused(),
            (_, Event::Tick) => self.tick(job, now),
            _ => Effects::ignored(),
        }
    }

    fn lost(&self, job: &mut JobState, now: Timestamp) -> Effects {
        if job.retries < self.lost_worker_retries {
            job.retries += 1;
            job.status = JobStatus::InQueue;
            return requeued(Place::Front);
        }
        let error = format!("job timed out after {} retries", job.retries);
        end(job, JobStatus::Failed, now, None, Some(error.into()))
    }

    fn tick(&self, job: &mut JobState, now: Timestamp) -> Effects {
        if now < self.due(job) {
            return Effects::ignored();
        }
        let expired = now >= job.submitted + job.terms.ttl;
        if job.status.is_terminal() {
            return Effects { remove: true, ..Effects::applied() };
        }
        if expired {
            let error = format!("job expired: its ttl of {} ms is over", job.terms.ttl.as_millis());
            let ended = stopped(job, |job| end(job, JobStatus::TimedOut, now, None, Some(error.into())));
            return Effects { remove: self.ttl_removes, ..ended };
        }
        let limit = job.terms.execution_timeout.as_millis();
        let error = format!("job ran longer than its execution timeout of {limit} ms");
        stopped(job, |job| end(job, self.overdue.status(), now, None, Some(error.into())))
    }
}

/// Whether `worker` is the one that the job was taken away from.
fn had(job: &JobState, worker: &WorkerId) -> bool {
    job.worker.as_ref() == Some(worker)
}

fn end(
    job: &mut JobState,
    status: JobStatus,
    now: Timestamp,
    output: Option<Payload>,
    error: Option<Arc<str>>,
) -> Effects {
    job.status = status;
    job.ended = Some(now);
    Effects {
        outcome: Some(Outcome { output, error }),
        // Only FAILED and TIMED_OUT can be retried.
        drop_input: matches!(status, JobStatus::Completed | JobStatus::Cancelled),
        ended: true,
        ..Effects::applied()
    }
}

/// Ends a job whose worker, if it has one, must be told.
fn stopped(job: &mut JobState, end: impl FnOnce(&mut JobState) -> Effects) -> Effects {
    let stop = if job.status == JobStatus::InProgress { job.worker.clone() } else { None };
    Effects { stop, ..end(job) }
}

fn requeued(place: Place) -> Effects {
    Effects {
        enqueue: Some(place),
        outcome: Some(Outcome::default()),
        drop_chunks: true,
        ..Effects::applied()
    }
}
