//! How many workers an endpoint has.

use std::time::Duration;

/// By what measure workers are added.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Scaler {
    /// One more worker whenever the oldest job has waited this long.
    QueueDelay(Duration),
    /// A worker for so many requests, waiting and running ones: `ceil((waiting + running) / count)`.
    RequestCount(u32),
}

/// Between which bounds, and by what measure, an endpoint's workers come and go.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Scaling {
    /// Workers that are always there.
    pub min: usize,
    /// Workers that are there at most. While a release is rolled out, the outgoing ones come on top.
    pub max: usize,
    /// How long a worker above `min` may have nothing to do before it is stopped.
    pub idle_timeout: Duration,
    /// When workers are added.
    pub scaler: Scaler,
}

impl Scaling {
    /// So many workers at any time.
    pub const fn fixed(workers: usize) -> Self {
        Self {
            min: workers,
            max: workers,
            idle_timeout: Duration::from_secs(5),
            scaler: Scaler::QueueDelay(Duration::from_secs(4)),
        }
    }

    /// Workers between these bounds, with RunPod's defaults: one more for each 4 s that a job waits, gone after 5 idle
    /// seconds.
    pub const fn between(min: usize, max: usize) -> Self {
        let Self { idle_timeout, scaler, .. } = Self::fixed(0);
        Self { min, max, idle_timeout, scaler }
    }

    /// Whether the number of workers never changes.
    pub(crate) const fn is_fixed(&self) -> bool {
        self.min >= self.max
    }
}

/// What an endpoint has to do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Load {
    /// Jobs or requests that wait for a worker. Those that must not start workers are left out.
    pub(crate) waiting: u64,
    /// Jobs or requests that a worker has.
    pub(crate) running: u64,
    /// How long the oldest of the waiting ones has waited.
    pub(crate) oldest: Duration,
}

impl Scaler {
    /// How many workers the load asks for, when there are `workers` of them and the last was added `since_added` ago. The
    /// bounds are not applied yet.
    ///
    /// For `QueueDelay` RunPod documents only that workers are added when jobs wait longer than the delay. Assumed here: one
    /// for each delay that passes, the first one at once, and never more of them than there are jobs.
    pub(crate) fn asks_for(self, load: Load, workers: usize, since_added: Duration) -> usize {
        let jobs = usize::try_from(load.waiting + load.running).unwrap_or(usize::MAX);
        match self {
            Self::RequestCount(count) => jobs.div_ceil(count.max(1) as usize),
            Self::QueueDelay(_) if load.waiting == 0 => jobs.min(workers),
            Self::QueueDelay(_) if workers == 0 => 1,
            Self::QueueDelay(delay) => {
                let more = load.oldest >= delay && since_added >= delay;
                (workers + usize::from(more)).min(jobs)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const S: Duration = Duration::from_secs(1);

    fn load(waiting: u64, running: u64, oldest: u32) -> Load {
        Load { waiting, running, oldest: S * oldest }
    }

    #[test]
    fn a_request_count_divides_what_waits_and_runs_and_rounds_up() {
        for (waiting, running, count, workers) in
            [(0, 0, 4, 0), (1, 0, 4, 1), (3, 1, 4, 1), (4, 1, 4, 2), (400, 0, 1, 400), (7, 0, 0, 7)]
        {
            let asked = Scaler::RequestCount(count).asks_for(load(waiting, running, 0), 2, S);
            assert_eq!(asked, workers, "({waiting} + {running}) / {count}");
        }
    }

    #[test]
    fn a_queue_delay_adds_one_worker_for_each_delay_that_passes() {
        let asks = |load, workers, since| Scaler::QueueDelay(4 * S).asks_for(load, workers, S * since);
        assert_eq!(asks(load(0, 0, 0), 0, 99), 0, "nothing to do");
        assert_eq!(asks(load(1, 0, 0), 0, 0), 1, "the first comes at once");
        assert_eq!(asks(load(9, 1, 3), 1, 99), 1, "nobody has waited long enough");
        assert_eq!(asks(load(9, 1, 4), 1, 4), 2);
        assert_eq!(asks(load(9, 2, 5), 2, 1), 2, "the last one has just been added");
        assert_eq!(asks(load(9, 2, 8), 2, 4), 3);
        assert_eq!(asks(load(1, 0, 99), 1, 99), 1, "one job is enough for one worker");
        assert_eq!(asks(load(0, 2, 0), 5, 99), 2, "idle ones are not asked for");
    }
}
