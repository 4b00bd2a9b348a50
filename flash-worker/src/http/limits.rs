use std::time::Duration;

use flash_core::boot::Boot;
use flash_core::{WireError, code};

/// What one client may cost a worker.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    /// Largest request body in bytes (platform contract C).
    pub(crate) body: usize,
    /// Bytes of all request bodies in flight.
    pub(crate) bodies: usize,
    /// Largest answer in bytes (platform contract C).
    pub(crate) answer: usize,
    /// Largest head of a request in bytes. hyper allows 100 headers in it.
    pub(crate) head: usize,
    /// Open connections. At the limit the one that has been idle longest is closed for a new one.
    pub(crate) connections: usize,
    /// From the first byte of a head to its last.
    pub(crate) head_time: Duration,
    /// How long a connection is kept without a request. As long as the platform's own image keeps one (platform contract
    /// C), because a gateway that sends on a connection which is just being closed has lost its request.
    pub(crate) idle_time: Duration,
    /// What a body may take before its rate counts.
    pub(crate) body_time: Duration,
    /// Bytes a second that a body has to keep up after that.
    pub(crate) body_rate: u64,
    /// How long a client may read nothing of an answer that waits for it.
    pub(crate) stall_time: Duration,
    /// How long a worker that is told to stop goes on taking requests, so that a gateway which does not know yet loses none.
    pub(crate) linger: Duration,
    /// How long it still does so once a gateway was told: requests that left before the answer arrived come a moment later,
    /// and on a connection that is just being closed they would be lost.
    pub(crate) settle: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            body: 30_000_000,
            bodies: 256_000_000,
            answer: 30_000_000,
            head: 64 * 1024,
            connections: 4096,
            head_time: Duration::from_secs(20),
            idle_time: Duration::from_secs(600),
            body_time: Duration::from_secs(20),
            body_rate: 16 * 1024,
            stall_time: Duration::from_secs(60),
            linger: Duration::from_secs(2),
            settle: Duration::from_millis(500),
        }
    }
}

impl Limits {
    /// The limits of this worker. A body that could never have room is too large.
    pub(crate) fn of(boot: &Boot) -> Self {
        let limits = Self::default();
        let bodies = boot.body_memory.unwrap_or(limits.bodies);
        Self { bodies, body: limits.body.min(bodies), ..limits }
    }

    /// Whether a body may have so many bytes; `is_announced` when that is all of it.
    ///
    /// # Errors
    /// `payload_too_large`.
    pub(crate) fn check_body(&self, size: usize, is_announced: bool) -> Result<(), WireError> {
        if size <= self.body {
            return Ok(());
        }
        let limit = self.body;
        let size = if is_announced { format!("{size} bytes") } else { format!("more than {limit} bytes") };
        let text = format!("the body has {size}, the limit is {limit} bytes");
        Err(WireError::new(code::PAYLOAD_TOO_LARGE, text).terminal())
    }

    /// When a body has to be complete of which this much has come.
    pub(crate) fn body_allowance(&self, received: usize) -> Duration {
        self.body_time + Duration::from_millis(received as u64 * 1000 / self.body_rate)
    }
}
