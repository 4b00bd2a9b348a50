//! `/metrics`: what a Prometheus reads.
//!
//! The text is its exposition format 0.0.4 (<https://prometheus.io/docs/instrumenting/exposition_formats/>): times are
//! seconds, counters begin anew with the process unless their help says otherwise. Who has no key for an endpoint does not
//! see it.

use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use flash_queue::routes::{Auth, Caller};
use flash_queue::{Durations, QueueError};
use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderValue};

use crate::endpoint::Endpoint;
use crate::plane::Plane;
use crate::supervisor::{WorkerInfo, WorkerState};

const TEXT: HeaderValue = HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8");

pub(crate) fn routes(plane: Arc<Plane>, auth: Auth) -> Router {
    Router::new().route("/metrics", get(metrics)).with_state((plane, auth))
}

async fn metrics(State((plane, auth)): State<(Arc<Plane>, Auth)>, headers: HeaderMap) -> Response {
    let opens = |endpoint: &str| auth.allows(Caller::Client { endpoint }, &headers);
    if !opens("") {
        return QueueError::Unauthorized.into_response();
    }
    let mut families = Families::new();
    families.add(INFO, &[("version", env!("CARGO_PKG_VERSION"))], 1);
    let workers = plane.roster.workers();
    for endpoint in plane.table.all().iter().filter(|endpoint| opens(endpoint.id.as_str())) {
        if let Err(error) = measure(&plane, endpoint, &workers, &mut families).await {
            return error.into_response();
        }
    }
    let mut response = Response::new(Body::from(families.text()));
    response.headers_mut().insert(CONTENT_TYPE, TEXT);
    response
}

async fn measure(
    plane: &Plane,
    endpoint: &Endpoint,
    workers: &[WorkerInfo],
    families: &mut Families,
) -> Result<(), QueueError> {
    let id = endpoint.id.as_str();
    let now = plane.clock.now();
    if let Some(queue) = &endpoint.queue {
        let (depth, load) = (queue.depth().await?, queue.load().await?);
        for (state, count) in [("queued", depth.in_queue), ("in_progress", depth.in_progress)] {
            families.add(JOBS, &[("endpoint", id), ("state", state)], count);
        }
        for (result, count) in [("completed", depth.completed), ("failed", depth.failed)] {
            families.add(JOBS_ENDED, &[("endpoint", id), ("result", result)], count);
        }
        families.add(JOBS_RETRIED, &[("endpoint", id)], depth.retried);
        let waits = load.oldest.map_or(Duration::ZERO, |oldest| now.since(oldest));
        families.add(QUEUE_AGE, &[("endpoint", id)], waits.as_secs_f64());
        families.durations(JOB_DELAY, id, &queue.delays());
        families.durations(JOB_EXECUTION, id, &queue.executions());
    } else {
        let load = endpoint.pool.load(now);
        for (state, count) in [("waiting", load.waiting), ("in_progress", load.running)] {
            families.add(REQUESTS, &[("endpoint", id), ("state", state)], count);
        }
    }
    let own = || workers.iter().filter(|worker| worker.endpoint == endpoint.id);
    for state in ["starting", "ready", "unhealthy", "draining", "stopping"] {
        let count = own().filter(|worker| name(worker.state) == Some(state)).count();
        families.add(WORKERS, &[("endpoint", id), ("state", state)], count);
    }
    let (started, crashed) = plane.roster.totals(&endpoint.id);
    families.add(WORKERS_STARTED, &[("endpoint", id)], started);
    families.add(WORKERS_CRASHED, &[("endpoint", id)], crashed);
    Ok(())
}

const fn name(state: WorkerState) -> Option<&'static str> {
    match state {
        WorkerState::Starting => Some("starting"),
        WorkerState::Ready => Some("ready"),
        WorkerState::Unhealthy => Some("unhealthy"),
        WorkerState::Draining => Some("draining"),
        WorkerState::Stopping => Some("stopping"),
        WorkerState::Exited(_) => None,
    }
}

/// A family of samples: its place in the text, its name, its type and its help.
#[derive(Clone, Copy)]
struct Family(usize, &'static str, &'static str, &'static str);

const INFO: Family = Family(0, "flash_platform_info", "gauge", "The version of the platform.");
const JOBS: Family = Family(1, "flash_jobs", "gauge", "Jobs that have not ended.");
const JOBS_ENDED: Family = Family(
    2,
    "flash_jobs_ended_total",
    "counter",
    "Jobs that ended, also before this process where jobs are durable.",
);
const JOBS_RETRIED: Family = Family(
    3,
    "flash_jobs_retried_total",
    "counter",
    "Jobs that were dispatched again because their worker was lost.",
);
const QUEUE_AGE: Family =
    Family(4, "flash_queue_oldest_seconds", "gauge", "How long the oldest queued job has waited.");
const JOB_DELAY: Family = Family(
    5,
    "flash_job_delay_seconds",
    "histogram",
    "How long ended jobs had waited for their last worker.",
);
const JOB_EXECUTION: Family =
    Family(6, "flash_job_execution_seconds", "histogram", "How long the last workers of ended jobs needed.");
const REQUESTS: Family =
    Family(7, "flash_http_requests", "gauge", "Requests to an HTTP endpoint that are open.");
const WORKERS: Family = Family(8, "flash_workers", "gauge", "Worker processes that live.");
const WORKERS_STARTED: Family =
    Family(9, "flash_workers_started_total", "counter", "Worker processes that were started.");
const WORKERS_CRASHED: Family = Family(
    10,
    "flash_workers_crashed_total",
    "counter",
    "Worker processes that ended without being asked to.",
);
const FAMILIES: usize = 11;

/// The samples so far. Those of one family must stand together.
struct Families([String; FAMILIES]);

impl Families {
    fn new() -> Self {
        Self(Default::default())
    }

    fn add(&mut self, family: Family, labels: &[(&str, &str)], value: impl std::fmt::Display) {
        self.sample(family, "", labels, value);
    }

    fn durations(&mut self, family: Family, endpoint: &str, durations: &Durations) {
        for (end, count) in &durations.at_most {
            let end = end.as_secs_f64().to_string();
            self.sample(family, "_bucket", &[("endpoint", endpoint), ("le", &end)], count);
        }
        self.sample(family, "_bucket", &[("endpoint", endpoint), ("le", "+Inf")], durations.count);
        self.sample(family, "_sum", &[("endpoint", endpoint)], durations.sum.as_secs_f64());
        self.sample(family, "_count", &[("endpoint", endpoint)], durations.count);
    }

    fn sample(
        &mut self,
        Family(at, name, kind, help): Family,
        suffix: &str,
        labels: &[(&str, &str)],
        value: impl std::fmt::Display,
    ) {
        let text = &mut self.0[at];
        if text.is_empty() {
            let _ = write!(text, "# HELP {name} {help}\n# TYPE {name} {kind}\n");
        }
        let _ = write!(text, "{name}{suffix}{{");
        for (at, (label, value)) in labels.iter().enumerate() {
            let comma = if at == 0 { "" } else { "," };
            let value = value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
            let _ = write!(text, "{comma}{label}=\"{value}\"");
        }
        let _ = writeln!(text, "}} {value}");
    }

    fn text(self) -> String {
        self.0.concat()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_family_is_documented() {
        let page = include_str!("../../docs/platform.md");
        let families = [
            INFO,
            JOBS,
            JOBS_ENDED,
            JOBS_RETRIED,
            QUEUE_AGE,
            JOB_DELAY,
            JOB_EXECUTION,
            REQUESTS,
            WORKERS,
            WORKERS_STARTED,
            WORKERS_CRASHED,
        ];
        assert_eq!(families.map(|Family(at, ..)| at).to_vec(), (0..FAMILIES).collect::<Vec<_>>());
        for Family(_, name, ..) in families {
            assert!(page.contains(&format!("| `{name}` |")), "{name}");
        }
    }

    #[test]
    fn labels_are_escaped() {
        let mut families = Families::new();
        families.add(INFO, &[("version", "a\"b\\c\nd")], 1);
        assert!(families.text().ends_with("flash_platform_info{version=\"a\\\"b\\\\c\\nd\"} 1\n"));
    }
}
