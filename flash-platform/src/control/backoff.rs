use std::time::Duration;

/// How often something is tried, and the pauses between: `first` · 2ⁿ, at most `longest`, ±20 % (platform contract D.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Backoff {
    /// Tries in all, the first included.
    pub tries: u32,
    /// The first pause.
    pub first: Duration,
    /// The longest pause.
    pub longest: Duration,
}

impl Default for Backoff {
    /// Four tries, 1 s to 15 s apart.
    fn default() -> Self {
        Self { tries: 4, first: Duration::from_secs(1), longest: Duration::from_secs(15) }
    }
}

impl Backoff {
    /// The same tries with another first pause.
    #[must_use]
    pub fn with_first(self, first: Duration) -> Self {
        Self { first, ..self }
    }

    /// The pause after the failed try `tried` (1 is the first). `None`: it was the last.
    #[must_use]
    pub fn after(&self, tried: u32) -> Option<Duration> {
        if tried >= self.tries {
            return None;
        }
        let pause = self.first.saturating_mul(1 << (tried - 1).min(16)).min(self.longest);
        Some(pause.mul_f64(0.8 + 0.4 * fraction()))
    }
}

/// A number in 0..1 that differs between processes and calls. Nothing depends on its quality.
fn fraction() -> f64 {
    use std::hash::{BuildHasher, Hasher};
    let random = std::collections::hash_map::RandomState::new().build_hasher().finish();
    f64::from(u32::try_from(random >> 32).unwrap_or_default()) / f64::from(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_the_longest_and_end() {
        let backoff = Backoff { tries: 6, ..Backoff::default() };
        for (tried, secs) in [(1, 1.0), (2, 2.0), (3, 4.0), (4, 8.0), (5, 15.0)] {
            let pause = backoff.after(tried).unwrap().as_secs_f64();
            assert!((secs * 0.8..=secs * 1.2).contains(&pause), "{tried}: {pause}");
        }
        assert_eq!(backoff.after(6), None);
    }
}
