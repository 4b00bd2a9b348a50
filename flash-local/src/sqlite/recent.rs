//! The jobs that ended last, as callers see them.

use std::collections::{HashMap, VecDeque};

use flash_core::ids::JobId;
use flash_core::wire::Job;
use flash_queue::Payload;

/// Jobs, and bytes of their results, at most.
const JOBS_MAX: usize = 2_048;
const BYTES_MAX: usize = 4 * 1024 * 1024;
/// A larger result is not kept here.
const RESULT_MAX: usize = 64 * 1024;

/// Answers the question that nearly all are: what became of a job that has just ended.
#[derive(Debug, Default)]
pub(super) struct Recent {
    jobs: HashMap<JobId, Job<Payload>>,
    /// First the oldest. Entries of jobs that are not here any more stay until they come to the front.
    order: VecDeque<JobId>,
    bytes: usize,
}

impl Recent {
    pub(super) fn get(&self, id: &JobId) -> Option<Job<Payload>> {
        self.jobs.get(id).cloned()
    }

    /// A job has ended, and that is committed.
    pub(super) fn add(&mut self, job: Job<Payload>) {
        self.remove(&job.id);
        let bytes = size(&job);
        if bytes > RESULT_MAX {
            return;
        }
        self.bytes += bytes;
        self.order.push_back(job.id.clone());
        self.jobs.insert(job.id.clone(), job);
        while (self.order.len() > JOBS_MAX || self.bytes > BYTES_MAX)
            && let Some(oldest) = self.order.pop_front()
        {
            self.remove(&oldest);
        }
    }

    /// Something else has happened to a job.
    pub(super) fn remove(&mut self, id: &JobId) {
        if let Some(job) = self.jobs.remove(id) {
            self.bytes -= size(&job);
        }
    }

    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }
}

fn size(job: &Job<Payload>) -> usize {
    job.output.as_ref().map_or(0, Payload::len) + job.error.as_ref().map_or(0, String::len)
}

#[cfg(test)]
mod tests {
    use flash_core::wire::JobStatus;

    use super::*;

    fn job(id: usize, bytes: usize) -> Job<Payload> {
        let output = Payload::from_json(format!("\"{}\"", "x".repeat(bytes))).unwrap();
        Job { output: Some(output), ..Job::new(format!("j{id}").as_str().into(), JobStatus::Completed) }
    }

    #[test]
    fn the_oldest_go_when_there_are_too_many_or_they_are_too_large() {
        let mut recent = Recent::default();
        let has = |recent: &Recent, id: usize| recent.get(&format!("j{id}").as_str().into()).is_some();
        for id in 0..=JOBS_MAX {
            recent.add(job(id, 8));
        }
        assert_eq!((recent.jobs.len(), has(&recent, 0), has(&recent, 1)), (JOBS_MAX, false, true));
        for id in 0..2 * BYTES_MAX / RESULT_MAX {
            recent.add(job(id, RESULT_MAX - 2));
        }
        assert_eq!((recent.bytes, recent.jobs.len()), (BYTES_MAX, BYTES_MAX / RESULT_MAX));
        recent.add(job(7, RESULT_MAX));
        assert!(!has(&recent, 7));
        recent.remove(&"j127".into());
        recent.remove(&"j127".into());
        assert_eq!(recent.bytes, BYTES_MAX - RESULT_MAX);
    }
}
