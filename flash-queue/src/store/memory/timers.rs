//! Which job is due when.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};

use flash_core::clock::Timestamp;

use super::arena::Key;

/// Alarms. Setting one is cheap, and none is ever searched: an alarm that rings for a job that is gone, or is due later by
/// now, is found out when it rings.
///
/// Nearly all jobs have the same few times (a ttl, an execution timeout, a retention), so the alarms of each of them come in
/// order: they stand in lines that are only ever added to at the end. The heap has what fits into none.
#[derive(Debug, Default)]
pub(super) struct Timers {
    lines: [VecDeque<(Timestamp, Key)>; LINES],
    others: BinaryHeap<Reverse<(Timestamp, Key)>>,
}

/// The three times, and one that a caller chose.
const LINES: usize = 4;

impl Timers {
    pub(super) fn set(&mut self, at: Timestamp, key: Key) {
        let fits = |line: &&mut VecDeque<(Timestamp, Key)>| line.back().is_none_or(|(last, _)| *last <= at);
        match self.lines.iter_mut().find(fits) {
            Some(line) => line.push_back((at, key)),
            None => self.others.push(Reverse((at, key))),
        }
    }

    /// The next alarm, rung or not.
    pub(super) fn first(&self) -> Option<(Timestamp, Key)> {
        let other = self.others.peek().map(|Reverse(alarm)| *alarm);
        self.lines.iter().filter_map(|line| line.front().copied()).chain(other).min()
    }

    pub(super) fn pop(&mut self) {
        let first = self.first();
        match self.lines.iter_mut().find(|line| line.front().copied() == first) {
            Some(line) => drop(line.pop_front()),
            None => drop(self.others.pop()),
        }
    }

    /// Throws out alarms that mean nothing once they outnumber the jobs by far. A day's ttl would otherwise keep an alarm
    /// for each job of the day.
    pub(super) fn tidy(&mut self, jobs: usize, mut means_something: impl FnMut(Timestamp, Key) -> bool) {
        let alarms = self.others.len() + self.lines.iter().map(VecDeque::len).sum::<usize>();
        if alarms > 4 * jobs + 1024 {
            for line in &mut self.lines {
                line.retain(|(at, key)| means_something(*at, *key));
            }
            self.others.retain(|Reverse((at, key))| means_something(*at, *key));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::arena::Arena;
    use super::*;

    #[test]
    fn alarms_ring_in_order_however_they_were_set() {
        let mut arena = Arena::default();
        let mut timers = Timers::default();
        assert!(timers.first().is_none());
        let mut set = Vec::new();
        let mut random = 7_u64;
        for n in 0..2_000 {
            random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            // Three lines that go on, and some that a caller chose.
            let at = match n % 5 {
                0 => n + 86_400,
                1 => n + 600,
                2 | 3 => n + 60,
                _ => (random >> 33) % 100_000,
            };
            let alarm = (Timestamp::from_millis(at), arena.insert(n));
            timers.set(alarm.0, alarm.1);
            set.push(alarm);
        }
        set.sort();
        for alarm in set {
            assert_eq!(timers.first(), Some(alarm));
            timers.pop();
        }
        assert!(timers.first().is_none());
    }
}
