//! How long jobs took, counted for whoever watches the platform.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use flash_core::wire::Job;

use super::Queue;

/// Upper ends of the classes, in milliseconds. One more class has no end.
const ENDS: [u64; 14] =
    [5, 10, 25, 50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000, 60_000, 300_000, 1_800_000];

/// Durations, counted by class.
#[derive(Debug, Default)]
struct Histogram {
    classes: [AtomicU64; ENDS.len() + 1],
    millis: AtomicU64,
}

/// A histogram as it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Durations {
    /// How many were at most as long as this.
    pub at_most: Vec<(Duration, u64)>,
    /// How many there were.
    pub count: u64,
    /// How long all of them were together.
    pub sum: Duration,
}

impl Histogram {
    fn add(&self, millis: u64) {
        let class = ENDS.partition_point(|end| *end < millis);
        self.classes[class].fetch_add(1, Ordering::Relaxed);
        self.millis.fetch_add(millis, Ordering::Relaxed);
    }

    fn read(&self) -> Durations {
        let mut count = 0;
        let mut counted = self.classes.iter().map(|class| {
            count += class.load(Ordering::Relaxed);
            count
        });
        let at_most = ENDS.iter().map(|end| Duration::from_millis(*end)).zip(&mut counted).collect();
        counted.for_each(drop);
        Durations { at_most, count, sum: Duration::from_millis(self.millis.load(Ordering::Relaxed)) }
    }
}

/// The times of the jobs of one queue that ended since this process began.
#[derive(Debug, Default)]
pub(super) struct Measures {
    delay: Histogram,
    execution: Histogram,
}

impl Measures {
    pub(super) fn ended<R>(&self, job: &Job<R>) {
        if let Some(delay) = job.delay_time {
            self.delay.add(delay);
        }
        if let Some(execution) = job.execution_time {
            self.execution.add(execution);
        }
    }
}

impl Queue {
    /// How long the jobs waited for their last worker that ended since this process began. Those that no worker had are not
    /// counted.
    pub fn delays(&self) -> Durations {
        self.0.measures.delay.read()
    }

    /// How long the last workers of these jobs needed.
    pub fn executions(&self) -> Durations {
        self.0.measures.execution.read()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_class_holds_what_is_at_most_as_long_as_its_end() {
        let histogram = Histogram::default();
        for millis in [0, 5, 6, 100, 10_000_000] {
            histogram.add(millis);
        }
        let read = histogram.read();
        let at_most = |millis| read.at_most.iter().find(|(end, _)| end.as_millis() == millis).unwrap().1;
        assert_eq!((at_most(5), at_most(10), at_most(50), at_most(100), at_most(1_800_000)), (2, 3, 3, 4, 4));
        assert_eq!((read.count, read.sum.as_millis()), (5, 10_000_111));
    }
}
