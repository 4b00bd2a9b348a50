//! Which job is due when.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use flash_core::clock::Timestamp;

use super::arena::Key;

/// A heap of alarms. Setting one is cheap, and none is ever searched: an alarm that rings for a job that is gone, or is due
/// later by now, is found out when it rings.
#[derive(Debug, Default)]
pub(super) struct Timers {
    alarms: BinaryHeap<Reverse<(Timestamp, Key)>>,
}

impl Timers {
    pub(super) fn set(&mut self, at: Timestamp, key: Key) {
        self.alarms.push(Reverse((at, key)));
    }

    /// The next alarm, rung or not.
    pub(super) fn first(&self) -> Option<(Timestamp, Key)> {
        self.alarms.peek().map(|Reverse(alarm)| *alarm)
    }

    pub(super) fn pop(&mut self) {
        self.alarms.pop();
    }

    /// Throws out alarms that mean nothing once they outnumber the jobs by far. A day's ttl would otherwise keep an alarm
    /// for each job of the day.
    pub(super) fn tidy(&mut self, jobs: usize, mut means_something: impl FnMut(Timestamp, Key) -> bool) {
        if self.alarms.len() > 4 * jobs + 1024 {
            self.alarms.retain(|Reverse((at, key))| means_something(*at, *key));
        }
    }
}
