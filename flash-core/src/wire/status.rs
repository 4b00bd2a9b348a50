//! Where a job stands.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The states of a job (RunPod documentation, "job states").
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum JobStatus {
    /// Waits for a worker.
    InQueue,
    /// A worker has it. The documentation also lists `RUNNING`, which is read as this.
    #[serde(alias = "RUNNING")]
    InProgress,
    /// Ended with a result.
    Completed,
    /// Ended with an error.
    Failed,
    /// Stopped by the caller.
    Cancelled,
    /// Was not done in time.
    TimedOut,
}

impl JobStatus {
    /// All states.
    pub const ALL: [Self; 6] =
        [Self::InQueue, Self::InProgress, Self::Completed, Self::Failed, Self::Cancelled, Self::TimedOut];

    /// Whether a job in this state stays in it.
    pub const fn is_terminal(self) -> bool {
        matches!(self, Self::Completed | Self::Failed | Self::Cancelled | Self::TimedOut)
    }

    /// The spelling on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::InQueue => "IN_QUEUE",
            Self::InProgress => "IN_PROGRESS",
            Self::Completed => "COMPLETED",
            Self::Failed => "FAILED",
            Self::Cancelled => "CANCELLED",
            Self::TimedOut => "TIMED_OUT",
        }
    }
}

impl fmt::Display for JobStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_spelling_is_the_same_everywhere() {
        for status in JobStatus::ALL {
            assert_eq!(serde_json::to_string(&status).unwrap(), format!("{:?}", status.as_str()));
            assert_eq!(serde_json::from_str::<JobStatus>(&format!("\"{status}\"")).unwrap(), status);
        }
        assert_eq!(serde_json::from_str::<JobStatus>(r#""RUNNING""#).unwrap(), JobStatus::InProgress);
        assert!(serde_json::from_str::<JobStatus>(r#""DONE""#).is_err());
    }

    #[test]
    fn four_states_are_terminal() {
        let terminal: Vec<_> = JobStatus::ALL.into_iter().filter(|status| status.is_terminal()).collect();
        assert_eq!(
            terminal,
            [JobStatus::Completed, JobStatus::Failed, JobStatus::Cancelled, JobStatus::TimedOut]
        );
    }
}
