use std::time::Duration;

use flash_core::Endpoint;
use flash_core::clock::Timestamp;
use flash_core::wire::{Policy, TakenJob};

/// How long a job may run where nobody says (platform contract A.3).
const PLATFORM_LIMIT: u64 = 600_000;
/// A result is offered for so long in any case: the worker's clock and the platform's differ, and a job that ran to its
/// last moment still has something to say.
const LAST_CHANCE: Duration = Duration::from_secs(10);

/// The times of one job.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Life {
    /// From then on the platform gives the job up.
    end: Timestamp,
    /// The function is stopped then: the earliest of the limits that somebody set.
    pub(crate) deadline: Option<Timestamp>,
}

impl Life {
    /// The times of a job that was taken at `taken`.
    pub(crate) fn new<R>(job: &TakenJob<R>, endpoint: &Endpoint, taken: Timestamp) -> Self {
        let policy = job.policy.as_ref();
        let limit = |of: fn(&Policy) -> Option<u64>| policy.and_then(of);
        let run = limit(|policy| policy.execution_timeout);
        // Counted from the submission, and hard: the job is removed whatever its state.
        let submitted = taken - Duration::from_millis(job.delay_time.unwrap_or_default());
        let removed = limit(|policy| policy.ttl).map(|ttl| submitted + Duration::from_millis(ttl));
        let from_taken = |ms: u64| taken + Duration::from_millis(ms);
        let declared = endpoint.execution_timeout_ms();
        let deadline = [run, declared].into_iter().flatten().map(from_taken).chain(removed).min();
        // For the platform the job's own limit counts, not the declared one.
        let end = from_taken(run.or(declared).unwrap_or(PLATFORM_LIMIT));
        Self { end: removed.map_or(end, |removed| end.min(removed)), deadline }
    }

    /// Until when a result is offered to the queue that is there at `now`.
    pub(crate) fn give_up(&self, now: Timestamp) -> Timestamp {
        self.end.max(now + LAST_CHANCE)
    }
}

/// Which try this is: the platform counts in `retries` how often it lost a worker that had the job.
pub(crate) fn attempt<'a>(mut extra: impl Iterator<Item = (&'a str, &'a str)>) -> u32 {
    let retries = extra.find(|(key, _)| *key == "retries");
    retries.and_then(|(_, json)| json.parse::<u32>().ok()).unwrap_or_default().saturating_add(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: Timestamp = Timestamp::from_millis(1_000_000_000);
    static PLAIN: Endpoint = Endpoint::queue("plain");
    static SHORT: Endpoint = Endpoint::queue("short").execution_timeout_secs(60);

    fn life(endpoint: &Endpoint, run: Option<u64>, ttl: Option<u64>) -> (Option<u64>, u64) {
        let policy = Policy { execution_timeout: run, ttl, ..Policy::default() };
        let job = TakenJob {
            delay_time: Some(5_000),
            policy: Some(policy),
            ..TakenJob::<()>::new("j".into(), None)
        };
        let life = Life::new(&job, endpoint, START);
        let after = |at: Timestamp| at.as_millis() - START.as_millis();
        (life.deadline.map(after), after(life.end))
    }

    #[test]
    fn the_earliest_limit_is_the_deadline() {
        assert_eq!(life(&PLAIN, None, None), (None, 600_000));
        assert_eq!(life(&SHORT, None, None), (Some(60_000), 60_000));
        assert_eq!(life(&SHORT, Some(20_000), None), (Some(20_000), 20_000));
        // The job's own limit overrides the endpoint's for the platform; the function keeps to the declared one.
        assert_eq!(life(&SHORT, Some(90_000), None), (Some(60_000), 90_000));
        assert_eq!(life(&SHORT, Some(90_000), Some(30_000)), (Some(25_000), 25_000));
    }

    #[test]
    fn a_result_has_a_last_chance() {
        let job = TakenJob::<()>::new("j".into(), None);
        let life = Life::new(&job, &SHORT, START);
        let second = Duration::from_secs(1);
        assert_eq!(life.give_up(START + second), START + 60 * second);
        assert_eq!(life.give_up(START + 59 * second), START + 69 * second);
    }
}
