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
    /// Streamed pieces that nobody has read yet, oldest first. Looking does not take them. Empty in lists.
    pub chunks: Vec<Payload>,
}

impl JobView {
    /// Its place in a list, to go on from there.
    pub fn cursor(&self) -> Cursor {
        Cursor { submitted: self.state.submitted, id: self.job.id.clone() }
    }
}

/// A place in a list of jobs. It holds also when the job that stood there is gone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cursor {
    /// When the job was submitted.
    pub submitted: Timestamp,
    /// The job. Many are submitted in the same millisecond.
    pub id: JobId,
}

/// Which jobs to list.
#[derive(Clone, Debug)]
pub struct Listing {
    /// Only jobs that stand here. `None`: wherever they stand.
    pub status: Option<JobStatus>,
    /// Only jobs that come after this place, so older ones. `None`: from the youngest on.
    pub before: Option<Cursor>,
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
