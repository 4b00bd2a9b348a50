//! How much memory ended jobs may take.

use std::collections::VecDeque;

use super::arena::Key;

/// Ended jobs in the order of their ends, and the bytes they take together.
#[derive(Debug)]
pub(super) struct Ended {
    /// Entries of jobs that went by themselves stay until they come to the front, or are too many.
    jobs: VecDeque<Key>,
    bytes: usize,
    limit: usize,
}

impl Ended {
    pub(super) fn new(limit: usize) -> Self {
        Self { jobs: VecDeque::new(), bytes: 0, limit }
    }

    pub(super) fn push(&mut self, key: Key, bytes: usize) {
        self.jobs.push_back(key);
        self.bytes += bytes;
    }

    /// A job of this size is not an ended one any more.
    pub(super) fn forget(&mut self, bytes: usize) {
        self.bytes -= bytes;
    }

    /// The oldest entry, if there is too much.
    pub(super) fn pop_over_limit(&mut self) -> Option<Key> {
        if self.bytes <= self.limit { None } else { self.jobs.pop_front() }
    }

    /// Throws out entries that mean nothing once they outnumber the jobs by far.
    pub(super) fn tidy(&mut self, jobs: usize, mut means_something: impl FnMut(Key) -> bool) {
        if self.jobs.len() > 4 * jobs + 1024 {
            self.jobs.retain(|key| means_something(*key));
        }
    }
}
