//! How long jobs took, counted for whoever watches the platform.

use std::time::Duration;

use flash_core::metrics::{Durations, Histogram};
use flash_core::wire::Job;

use super::Queue;

/// The times of the jobs of one queue that ended since this process began.
#[derive(Debug, Default)]
pub(super) struct Measures {
    delay: Histogram,
    execution: Histogram,
}

impl Measures {
    pub(super) fn ended<R>(&self, job: &Job<R>) {
        if let Some(delay) = job.delay_time {
            self.delay.add(Duration::from_millis(delay));
        }
        if let Some(execution) = job.execution_time {
            self.execution.add(Duration::from_millis(execution));
        }
    }
}

impl Queue {
    /// How long the jobs waited for their last worker that ended since this process began. Those that no worker had are not
    /// counted.
    pub fn delays(&self) -> Durations {
        self.0.measures.delay.read()
    }

    /// How long the last workers of these jobs needed.
    pub fn executions(&self) -> Durations {
        self.0.measures.execution.read()
    }
}
