//! Behaviours of the live platform that are not known for certain, or not wanted everywhere.

use flash_core::wire::JobStatus;

/// What happens to a result over its limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Oversized {
    /// The worker gets a 400, and the job is COMPLETED without output, as the live platform was seen to do.
    Vanish,
    /// The worker gets a 413, and the job is FAILED with a text that names size and limit.
    Fail,
}

/// Where a job ends that ran longer than its execution timeout.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Overdue {
    /// As `TIMED_OUT`.
    TimedOut,
    /// As `FAILED`.
    Failed,
}

impl Overdue {
    /// The state that the job ends in.
    pub const fn status(self) -> JobStatus {
        match self {
            Self::TimedOut => JobStatus::TimedOut,
            Self::Failed => JobStatus::Failed,
        }
    }
}
