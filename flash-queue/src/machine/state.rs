//! What the machine knows of a job: everything but its payloads.

use std::time::Duration;

use flash_core::clock::Timestamp;
use flash_core::ids::WorkerId;
use flash_core::wire::JobStatus;

/// The times that were agreed on when the job was submitted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Terms {
    /// How long it may run.
    pub execution_timeout: Duration,
    /// How long it may exist, from its submission.
    pub ttl: Duration,
    /// How long it is kept after its end.
    pub retention: Duration,
    /// It does not make the platform start workers.
    pub low_priority: bool,
}

/// Where a job stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JobState {
    /// Its state.
    pub status: JobStatus,
    /// When the caller submitted it (or retried it).
    pub submitted: Timestamp,
    /// When a worker took it last.
    pub taken: Option<Timestamp>,
    /// When it ended.
    pub ended: Option<Timestamp>,
    /// The worker that has it, or had it last.
    pub worker: Option<WorkerId>,
    /// How often it was dispatched again because its worker was lost.
    pub retries: u32,
    /// The agreed times.
    pub terms: Terms,
}

impl JobState {
    /// A job that was just submitted. It waits in the queue.
    pub const fn submitted(now: Timestamp, terms: Terms) -> Self {
        Self {
            status: JobStatus::InQueue,
            submitted: now,
            taken: None,
            ended: None,
            worker: None,
            retries: 0,
            terms,
        }
    }

    /// Milliseconds that it waited for its last worker, counted from its submission. `None` while no worker had it.
    ///
    /// For a job that was dispatched twice the live platform was seen to count from the submission, not from the second
    /// dispatch (platform contract A.5).
    pub fn delay_time(&self) -> Option<u64> {
        Some(millis(self.taken?.since(self.submitted)))
    }

    /// Milliseconds between its last take and its end. `None` before its end, or when no worker had it.
    pub fn execution_time(&self) -> Option<u64> {
        Some(millis(self.ended?.since(self.taken?)))
    }

    /// Whether `worker` has it now.
    pub fn is_held_by(&self, worker: &WorkerId) -> bool {
        self.status == JobStatus::InProgress && self.worker.as_ref() == Some(worker)
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
