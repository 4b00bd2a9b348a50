//! What a worker counts, under the names that the platform has for the same things: for a Prometheus that reads it and, with
//! the feature `otlp`, for a collector that it is pushed to.
//!
//! Off unless the environment asks for one of the two, and then a job or a request costs one look at an empty cell. Counters
//! begin anew with the process.

#[cfg(feature = "otlp")]
mod otlp;
mod prometheus;

use std::sync::OnceLock;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use flash_core::boot::Boot;
use flash_core::metrics::{Durations, Family, Histogram};
use http::StatusCode;

use crate::identity::Identity;

static METRICS: OnceLock<Metrics> = OnceLock::new();

/// Everything that is counted in this process.
#[derive(Debug)]
struct Metrics {
    endpoint: String,
    worker: String,
    jobs: Work<2>,
    requests: Work<5>,
}

/// What is running, how it ended, and how long it took.
#[derive(Debug)]
struct Work<const ENDINGS: usize> {
    running: AtomicI64,
    ended: [AtomicU64; ENDINGS],
    took: Histogram,
}

impl<const ENDINGS: usize> Default for Work<ENDINGS> {
    fn default() -> Self {
        Self {
            running: AtomicI64::default(),
            ended: std::array::from_fn(|_| AtomicU64::default()),
            took: Histogram::default(),
        }
    }
}

/// A job or a request that is running. One that is dropped before it has ended counts as running no more, and as nothing else.
#[derive(Debug)]
pub(crate) struct Running<const ENDINGS: usize>(Option<(&'static Work<ENDINGS>, Instant)>);

/// A job begins.
pub(crate) fn job() -> Running<2> {
    Running::begin(METRICS.get().map(|metrics| &metrics.jobs))
}

/// A request begins.
pub(crate) fn request() -> Running<5> {
    Running::begin(METRICS.get().map(|metrics| &metrics.requests))
}

impl<const ENDINGS: usize> Running<ENDINGS> {
    fn begin(work: Option<&'static Work<ENDINGS>>) -> Self {
        Self(work.map(|work| {
            work.running.fetch_add(1, Ordering::Relaxed);
            (work, Instant::now())
        }))
    }

    fn end(&self, ending: usize) {
        if let Some((work, began)) = &self.0 {
            work.count(ending, began.elapsed());
        }
    }
}

impl Running<2> {
    /// It has an outcome. It no longer runs when somebody may hear of that.
    pub(crate) fn ended(self, is_success: bool) {
        self.end(usize::from(!is_success));
    }
}

impl Running<5> {
    /// Its answer begins.
    pub(crate) fn answered(&self, status: StatusCode) {
        self.end(usize::from(status.as_u16() / 100).clamp(1, 5) - 1);
    }
}

impl<const ENDINGS: usize> Drop for Running<ENDINGS> {
    fn drop(&mut self) {
        if let Some((work, _)) = &self.0 {
            work.running.fetch_sub(1, Ordering::Relaxed);
        }
    }
}

impl<const ENDINGS: usize> Work<ENDINGS> {
    fn count(&self, ending: usize, took: Duration) {
        self.ended[ending].fetch_add(1, Ordering::Relaxed);
        self.took.add(took);
    }

    fn read(&self) -> Reading<ENDINGS> {
        Reading {
            running: self.running.load(Ordering::Relaxed),
            ended: std::array::from_fn(|at| self.ended[at].load(Ordering::Relaxed)),
            took: self.took.read(),
        }
    }
}

/// What work has come to at one moment.
struct Reading<const ENDINGS: usize> {
    running: i64,
    ended: [u64; ENDINGS],
    took: Durations,
}

/// The families of a kind of work.
struct Names<const ENDINGS: usize> {
    running: Family,
    ended: Family,
    /// The label that tells the endings apart, and its values.
    endings: (&'static str, [&'static str; ENDINGS]),
    took: Family,
}

const JOBS: Names<2> = Names {
    running: Family::gauge("flash_jobs", "Jobs that have not ended."),
    ended: Family::counter(
        "flash_jobs_ended_total",
        "Jobs that ended, those that the platform stopped left out.",
    ),
    endings: ("result", ["completed", "failed"]),
    took: Family::histogram("flash_job_execution_seconds", "How long ended jobs needed."),
};

const REQUESTS: Names<5> = Names {
    running: Family::gauge("flash_http_requests", "Requests that have no answer yet."),
    ended: Family::counter("flash_http_requests_ended_total", "Requests by the class of their status."),
    endings: ("class", ["1xx", "2xx", "3xx", "4xx", "5xx"]),
    took: Family::histogram("flash_http_request_seconds", "How long it took until an answer began."),
};

const WORKER: Family = Family::gauge("flash_worker_info", "The worker, and the version of its runtime.");
/// What every kind of work that is running has as its state.
const STATE: &str = "in_progress";
const VERSION: &str = env!("CARGO_PKG_VERSION");

impl Metrics {
    fn new(endpoint: &str, worker: &str) -> Self {
        Self {
            endpoint: endpoint.to_owned(),
            worker: worker.to_owned(),
            jobs: Work::default(),
            requests: Work::default(),
        }
    }

    /// Those of this process, which count from the first call on.
    fn of(boot: &Boot, endpoint: &str) -> &'static Self {
        // The platform calls a deployed endpoint by its id.
        let endpoint = boot.endpoint_id.as_deref().unwrap_or(endpoint);
        METRICS.get_or_init(|| Self::new(endpoint, &Identity::new(boot).worker_id))
    }
}

/// What goes on beside the worker for as long as it counts.
pub(crate) struct Reports {
    #[cfg(feature = "otlp")]
    pusher: Option<otlp::Pusher>,
}

/// Counts from now on, if the environment asks for it: serves what was counted on `FLASH_METRICS_PORT`, and pushes it by OTLP.
///
/// # Errors
/// A port that cannot be bound, named.
pub(crate) async fn start(boot: &Boot, endpoint: &str) -> Result<Reports, String> {
    let metrics = || Metrics::of(boot, endpoint);
    prometheus::serve(boot, metrics).await?;
    Ok(Reports {
        #[cfg(feature = "otlp")]
        pusher: otlp::Pusher::start(boot, metrics),
    })
}

impl Reports {
    /// Pushes a last time, after the work of this process. Takes seconds at most, whatever the collector does.
    pub(crate) async fn finish(self) {
        #[cfg(feature = "otlp")]
        if let Some(pusher) = self.pusher {
            pusher.finish().await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn work_that_is_dropped_has_not_ended() {
        let work: &'static Work<2> = Box::leak(Box::default());
        drop(Running::begin(Some(work)));
        assert_eq!(work.running.load(Ordering::Relaxed), 0);
        assert!(work.ended.iter().all(|count| count.load(Ordering::Relaxed) == 0));
    }
}
