use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use flash_core::{WireError, code};

/// How many bytes of request bodies a worker holds at the same time.
#[derive(Debug)]
pub(crate) struct Budget {
    limit: usize,
    held: AtomicUsize,
}

/// What one request holds of it, until it is dropped.
#[derive(Debug)]
pub(crate) struct Share {
    budget: Arc<Budget>,
    bytes: usize,
}

impl Budget {
    pub(crate) fn new(limit: usize) -> Arc<Self> {
        Arc::new(Self { limit, held: AtomicUsize::new(0) })
    }

    /// Nothing yet.
    pub(super) fn share(self: &Arc<Self>) -> Share {
        Share { budget: Arc::clone(self), bytes: 0 }
    }
}

impl Share {
    /// Makes room for a body of which there are `bytes` in all.
    ///
    /// # Errors
    /// `overloaded`, when the other requests leave too little.
    pub(super) fn grow_to(&mut self, bytes: usize) -> Result<(), WireError> {
        let more = bytes.saturating_sub(self.bytes);
        let budget = &*self.budget;
        let before = budget.held.fetch_add(more, Ordering::Relaxed);
        if before.saturating_add(more) <= budget.limit {
            self.bytes += more;
            return Ok(());
        }
        budget.held.fetch_sub(more, Ordering::Relaxed);
        Err(over(before, budget.limit))
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        self.budget.held.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}

#[cold]
fn over(held: usize, limit: usize) -> WireError {
    WireError::new(
        code::OVERLOADED,
        format!(
            "the bodies of the requests that run have {held} bytes, and with this one they would be over the limit of {limit} \
             bytes\nhelp: try again after the seconds in `retry-after`; FLASH_BODY_MEMORY_MB of the worker sets the limit"
        ),
    )
    .retryable()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_held_comes_back_and_what_does_not_fit_takes_nothing() {
        let budget = Budget::new(100);
        let (mut first, mut second) = (budget.share(), budget.share());
        first.grow_to(60).unwrap();
        // In all, not more.
        first.grow_to(60).unwrap();
        second.grow_to(30).unwrap();
        let refused = second.grow_to(41).unwrap_err();
        assert_eq!((&*refused.code, refused.http_status(), refused.retryable), ("overloaded", 503, true));
        second.grow_to(40).unwrap();
        drop(first);
        second.grow_to(100).unwrap();
        assert!(budget.share().grow_to(1).is_err());
        drop(second);
        assert_eq!(budget.held.load(Ordering::Relaxed), 0);
        assert!(budget.share().grow_to(usize::MAX).is_err());
    }
}
