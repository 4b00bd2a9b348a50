//! How many requests of each kind an endpoint serves.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use flash_core::clock::Timestamp;

use super::Queue;
use crate::limits::Rate;
use crate::{Limits, QueueError};

/// What a client asks an endpoint to do, as far as that is limited.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operation {
    /// `/run`
    Run,
    /// `/runsync`
    RunSync,
    /// `/status`
    Status,
    /// `/stream`
    Stream,
    /// `/cancel`
    Cancel,
    /// `/purge-queue`
    Purge,
    /// `/requests`
    Requests,
}

impl Operation {
    /// Its path.
    pub const fn path(self) -> &'static str {
        match self {
            Self::Run => "/run",
            Self::RunSync => "/runsync",
            Self::Status => "/status",
            Self::Stream => "/stream",
            Self::Cancel => "/cancel",
            Self::Purge => "/purge-queue",
            Self::Requests => "/requests",
        }
    }

    const fn rate(self, limits: &Limits) -> Rate {
        match self {
            Self::Run => limits.rate_run,
            Self::RunSync => limits.rate_runsync,
            Self::Status => limits.rate_status,
            Self::Stream => limits.rate_stream,
            Self::Cancel => limits.rate_cancel,
            Self::Purge => limits.rate_purge,
            Self::Requests => limits.rate_requests,
        }
    }
}

/// The requests of one endpoint so far.
#[derive(Debug, Default)]
pub(super) struct Admission {
    gates: [Gate; 7],
}

#[derive(Debug, Default)]
struct Gate {
    window: Mutex<Window>,
    open: AtomicU32,
}

#[derive(Debug, Default)]
struct Window {
    start: Timestamp,
    requests: u32,
}

/// The permission to serve a request, to be held until it is answered.
#[derive(Debug)]
pub struct Pass {
    queue: Queue,
    operation: Operation,
    /// Requests per window.
    pub limit: u32,
    /// How many more there may be in this window.
    pub remaining: u32,
    /// How long a window is.
    pub window: Duration,
    /// When the next window begins.
    pub reset: Duration,
}

impl Queue {
    /// Asks whether a request may be served. `None`: there are no limits.
    ///
    /// # Errors
    /// [`QueueError::RateLimited`] when there were too many in this window, or too many are being served.
    pub fn admit(&self, operation: Operation) -> Result<Option<Pass>, QueueError> {
        let limits = self.limits();
        if !limits.rate_limits {
            return Ok(None);
        }
        let rate = operation.rate(limits);
        let by_workers = match limits.rate_per_worker {
            0 => 0,
            each => each.saturating_mul(u32::try_from(self.0.workers.ready()).unwrap_or(u32::MAX)),
        };
        let limit = rate.requests.max(by_workers);
        let gate = &self.0.admission.gates[operation as usize];
        let refuse = |limit: String, retry_after| {
            Err(QueueError::RateLimited { operation: operation.path(), limit, retry_after })
        };
        // Counted before it is looked at, so that two requests can not both take the last place.
        let open = gate.open.fetch_add(1, Ordering::AcqRel) + 1;
        let now = self.clock().now();
        let (remaining, reset) = {
            let mut window = gate.window.lock().unwrap_or_else(PoisonError::into_inner);
            if now.since(window.start) >= limits.rate_window || now < window.start {
                *window = Window { start: now, requests: 0 };
            }
            let reset = limits.rate_window - now.since(window.start);
            if rate.concurrent > 0 && open > rate.concurrent {
                gate.open.fetch_sub(1, Ordering::AcqRel);
                return refuse(
                    format!("{} are served at the same time", rate.concurrent),
                    Duration::from_secs(1),
                );
            }
            if window.requests >= limit {
                gate.open.fetch_sub(1, Ordering::AcqRel);
                return refuse(format!("{limit} are served in {} s", limits.rate_window.as_secs()), reset);
            }
            window.requests += 1;
            (limit - window.requests, reset)
        };
        Ok(Some(Pass { queue: self.clone(), operation, limit, remaining, window: limits.rate_window, reset }))
    }
}

impl Drop for Pass {
    fn drop(&mut self) {
        self.queue.0.admission.gates[self.operation as usize].open.fetch_sub(1, Ordering::AcqRel);
    }
}
