//! Percentiles of measured times.

use std::time::Duration;

/// Times in the order they were measured.
#[derive(Debug, Default)]
pub struct Latencies {
    nanos: Vec<u64>,
}

impl Latencies {
    /// Adds one.
    pub fn record(&mut self, took: Duration) {
        self.nanos.push(u64::try_from(took.as_nanos()).unwrap_or(u64::MAX));
    }

    /// Adds those of another series.
    pub fn append(&mut self, mut other: Self) {
        self.nanos.append(&mut other.nanos);
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.nanos.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.nanos.is_empty()
    }

    /// The time in microseconds that `fraction` of all stay at or under (nearest rank); 0 when there is none.
    pub fn percentile_us(&mut self, fraction: f64) -> f64 {
        if self.nanos.is_empty() {
            return 0.0;
        }
        self.nanos.sort_unstable();
        let rank = (fraction * self.nanos.len() as f64).ceil() as usize;
        self.nanos[rank.clamp(1, self.nanos.len()) - 1] as f64 / 1000.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_ranks() {
        let mut times = Latencies::default();
        assert_eq!(times.percentile_us(0.5), 0.0);
        for us in (1..=100).rev() {
            times.record(Duration::from_micros(us));
        }
        assert_eq!(times.percentile_us(0.5), 50.0);
        assert_eq!(times.percentile_us(0.99), 99.0);
        assert_eq!(times.percentile_us(1.0), 100.0);
        assert_eq!(times.len(), 100);
    }
}
