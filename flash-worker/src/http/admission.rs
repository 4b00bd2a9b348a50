use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use flash_core::{WireError, code};

/// Longest time that a caller who was turned away is told to wait.
const LONGEST_WAIT: u64 = 60;

/// How many functions one endpoint runs at the same time, and how long they take.
#[derive(Debug)]
pub(crate) struct Admission {
    limit: usize,
    running: AtomicUsize,
    /// Moving average of what a function takes, in microseconds.
    service_us: AtomicU64,
}

/// A place among the running functions, until it is dropped.
#[derive(Debug)]
pub(crate) struct Permit(Arc<Admission>);

impl Drop for Permit {
    fn drop(&mut self) {
        self.0.running.fetch_sub(1, Ordering::Release);
    }
}

impl Admission {
    pub(crate) fn new(limit: u32) -> Self {
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        Self { limit, running: AtomicUsize::new(0), service_us: AtomicU64::new(0) }
    }

    /// A place for one more.
    ///
    /// # Errors
    /// `overloaded`, when all places are taken.
    pub(crate) fn enter(self: &Arc<Self>) -> Result<Permit, WireError> {
        let before = self.running.fetch_add(1, Ordering::Acquire);
        let permit = Permit(Arc::clone(self));
        if before < self.limit {
            return Ok(permit);
        }
        Err(WireError::new(
            code::OVERLOADED,
            format!(
                "the worker runs as many requests as it may ({})\nhelp: try again after the seconds in `retry-after`; \
                 `.concurrency(…)` and `.workers(…)` of the endpoint say how many there are",
                self.limit
            ),
        )
        .retryable())
    }

    /// Learns how long a function took.
    #[inline]
    pub(crate) fn served(&self, took: Duration) {
        let took = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        let known = self.service_us.load(Ordering::Relaxed);
        // An eighth of the new and the rest of the old; an update that another thread overwrites is no loss.
        let average = if known == 0 { took } else { known - known / 8 + took / 8 };
        self.service_us.store(average.max(1), Ordering::Relaxed);
    }

    /// Whole seconds after which a place is likely free: what a function takes on average.
    pub(crate) fn retry_after(&self) -> u64 {
        self.service_us.load(Ordering::Relaxed).div_ceil(1_000_000).clamp(1, LONGEST_WAIT)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_come_back_and_the_wait_is_what_functions_take() {
        let admission = Arc::new(Admission::new(2));
        let first = admission.enter().unwrap();
        let _second = admission.enter().unwrap();
        let refused = admission.enter().unwrap_err();
        assert_eq!((&*refused.code, refused.http_status(), refused.retryable), ("overloaded", 503, true));
        assert_eq!(admission.retry_after(), 1);
        drop(first);
        assert!(admission.enter().is_ok());
        for _ in 0..100 {
            admission.served(Duration::from_millis(6_500));
        }
        assert_eq!(admission.retry_after(), 7);
        admission.served(Duration::from_secs(100_000));
        assert_eq!(admission.retry_after(), LONGEST_WAIT);
    }
}
