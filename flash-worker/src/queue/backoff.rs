use std::time::Duration;

/// Growing pauses, so that a queue in trouble is not flooded. Back to the first one after a success.
#[derive(Debug)]
pub(crate) struct Backoff {
    first: Duration,
    longest: Duration,
    next: Duration,
}

impl Backoff {
    pub(crate) fn new(first: Duration, longest: Duration) -> Self {
        Self { first, longest, next: first }
    }

    pub(crate) fn reset(&mut self) {
        self.next = self.first;
    }

    /// The pause to make now. A part of it is random, so that many workers do not come back at once.
    pub(crate) fn pause(&mut self) -> Duration {
        use std::hash::{BuildHasher, Hasher};
        let pause = self.next;
        self.next = (self.next * 2).min(self.longest);
        let random = std::collections::hash_map::RandomState::new().build_hasher().finish();
        pause - pause.mul_f64((random % 1000) as f64 / 5000.0)
    }
}
