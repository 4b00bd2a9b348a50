//! Looking at jobs from the side of the platform.

use flash_core::clock::Timestamp;
use flash_core::ids::JobId;
use flash_core::wire::{Job, JobStatus};

use crate::Payload;
use crate::machine::JobState;

/// A job with everything that the platform knows of it.
#[derive(Clone, Debug)]
pub struct JobView {
    /// What callers see.
    pub job: Job<Payload>,
    /// What the function gets. `None` in lists, when it was empty, or when nobody can need it any more.
    pub input: Option<Payload>,
    /// The times of its way through the queue, its attempts and its agreed times.
    pub state: JobState,
    /// The URL that wants to hear of its end.
    pub webhook: Option<String>,
}

/// Which jobs to list.
#[derive(Clone, Copy, Debug)]
pub struct Listing {
    /// Only jobs that stand here. `None`: wherever they stand.
    pub status: Option<JobStatus>,
    /// Only jobs that were submitted before this moment. `None`: all.
    pub before: Option<Timestamp>,
    /// At most so many.
    pub most: usize,
}

impl Default for Listing {
    fn default() -> Self {
        Self { status: None, before: None, most: 100 }
    }
}

/// A job that a worker has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Held {
    /// The job.
    pub id: JobId,
    /// Since when.
    pub taken: Timestamp,
}

/// A URL that wants to hear of the end of a job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Webhook {
    /// The job.
    pub id: JobId,
    /// The URL, as the caller wrote it.
    pub url: String,
}
