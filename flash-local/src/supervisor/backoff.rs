//! How long to pause before a worker that died is started again.

use std::time::Duration;

use flash_queue::Limits;

/// Counts the deaths in a row of one worker's place.
#[derive(Debug, Default)]
pub(super) struct Backoff {
    deaths: u32,
}

impl Backoff {
    /// The pause after a death. One death is followed by a new start at once: whatever was killed is replaced without
    /// delay. From the second in a row on the pause doubles.
    pub(super) fn died(&mut self, lived: Duration, limits: &Limits) -> Duration {
        if lived >= limits.crash_forgiven {
            self.deaths = 0;
        }
        self.deaths = self.deaths.saturating_add(1);
        match self.deaths {
            1 => Duration::ZERO,
            n => limits.crash_pause.saturating_mul(1 << (n - 2).min(20)).min(limits.crash_pause_max),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pause_doubles_is_bounded_and_forgets() {
        let limits = Limits::default();
        let mut backoff = Backoff::default();
        let mut died = |seconds| backoff.died(Duration::from_secs(seconds), &limits).as_millis();
        assert_eq!([died(1), died(1), died(1), died(1)], [0, 250, 500, 1_000]);
        for _ in 0..100 {
            died(1);
        }
        assert_eq!(died(1), 60_000);
        assert_eq!([died(60), died(1)], [0, 250]);
    }
}
