//! What one endpoint wants differently from the platform's defaults.

use std::time::Duration;

/// Settings of one endpoint's queue.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct QueueOptions {
    /// How long its jobs may run, unless they say themselves. `None`: [`Limits::execution_timeout`](crate::Limits).
    pub execution_timeout: Option<Duration>,
}

impl QueueOptions {
    /// The platform's defaults.
    pub const fn new() -> Self {
        Self { execution_timeout: None }
    }

    /// Sets how long jobs may run.
    #[must_use]
    pub const fn execution_timeout(mut self, timeout: Duration) -> Self {
        self.execution_timeout = Some(timeout);
        self
    }
}
