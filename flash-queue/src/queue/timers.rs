//! The task that lets time pass for jobs and workers.

use std::sync::atomic::{AtomicU64, Ordering};

use flash_core::clock::{Clock, Timestamp};
use tokio::sync::Notify;

/// The moment at which the task looks again. Everybody can move it forward.
#[derive(Debug)]
pub(super) struct Timers {
    /// Unix milliseconds.
    next: AtomicU64,
    earlier: Notify,
}

impl Default for Timers {
    fn default() -> Self {
        Self { next: AtomicU64::new(u64::MAX), earlier: Notify::new() }
    }
}

impl Timers {
    /// Something is due at this moment.
    pub(super) fn consider(&self, at: Timestamp) {
        // Nearly always the task looks again before that anyway.
        if at.as_millis() < self.next.load(Ordering::Acquire)
            && at.as_millis() < self.next.fetch_min(at.as_millis(), Ordering::AcqRel)
        {
            self.earlier.notify_one();
        }
    }

    /// Forgets all moments. What becomes due from now on calls [`consider`](Self::consider); what was due before must be
    /// looked up and considered again.
    pub(super) fn reset(&self) {
        self.next.store(u64::MAX, Ordering::Release);
    }

    /// Sleeps until the next moment.
    pub(super) async fn wait(&self, clock: &Clock) {
        loop {
            let next = Timestamp::from_millis(self.next.load(Ordering::Acquire));
            // An earlier moment that came up in between leaves its notice in `earlier`.
            if clock.timeout_at(next, self.earlier.notified()).await.is_err() {
                return;
            }
        }
    }
}
