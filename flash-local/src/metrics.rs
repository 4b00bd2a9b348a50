//! `/metrics`: what a Prometheus reads.
//!
//! Counters begin anew with the process unless their help says otherwise. Who has no key for an endpoint does not see it.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use flash_core::metrics::{Family, Samples, TEXT};
use flash_queue::QueueError;
use flash_queue::routes::{Auth, Caller};
use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderValue};

use crate::endpoint::Endpoint;
use crate::plane::Plane;
use crate::supervisor::{WorkerInfo, WorkerState};

pub(crate) fn routes(plane: Arc<Plane>, auth: Auth) -> Router {
    Router::new().route("/metrics", get(metrics)).with_state((plane, auth))
}

async fn metrics(State((plane, auth)): State<(Arc<Plane>, Auth)>, headers: HeaderMap) -> Response {
    let opens = |endpoint: &str| auth.allows(Caller::Client { endpoint }, &headers);
    if !opens("") {
        return QueueError::Unauthorized.into_response();
    }
    let mut samples = Samples::default();
    samples.add(&INFO, &[("version", env!("CARGO_PKG_VERSION"))], 1);
    let workers = plane.roster.workers();
    for endpoint in plane.table.all().iter().filter(|endpoint| opens(endpoint.id.as_str())) {
        if let Err(error) = measure(&plane, endpoint, &workers, &mut samples).await {
            return error.into_response();
        }
    }
    let mut response = Response::new(Body::from(samples.text()));
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(TEXT));
    response
}

async fn measure(
    plane: &Plane,
    endpoint: &Endpoint,
    workers: &[WorkerInfo],
    samples: &mut Samples,
) -> Result<(), QueueError> {
    let id = endpoint.id.as_str();
    let now = plane.clock.now();
    if let Some(queue) = &endpoint.queue {
        let (depth, load) = (queue.depth().await?, queue.load().await?);
        for (state, count) in [("queued", depth.in_queue), ("in_progress", depth.in_progress)] {
            samples.add(&JOBS, &[("endpoint", id), ("state", state)], count);
        }
        for (result, count) in [("completed", depth.completed), ("failed", depth.failed)] {
            samples.add(&JOBS_ENDED, &[("endpoint", id), ("result", result)], count);
        }
        samples.add(&JOBS_RETRIED, &[("endpoint", id)], depth.retried);
        let waits = load.oldest.map_or(Duration::ZERO, |oldest| now.since(oldest));
        samples.add(&QUEUE_AGE, &[("endpoint", id)], waits.as_secs_f64());
        samples.durations(&JOB_DELAY, &[("endpoint", id)], &queue.delays());
        samples.durations(&JOB_EXECUTION, &[("endpoint", id)], &queue.executions());
    } else {
        let load = endpoint.pool.load(now);
        for (state, count) in [("waiting", load.waiting), ("in_progress", load.running)] {
            samples.add(&REQUESTS, &[("endpoint", id), ("state", state)], count);
        }
    }
    let own = || workers.iter().filter(|worker| worker.endpoint == endpoint.id);
    for state in ["starting", "ready", "unhealthy", "draining", "stopping"] {
        let count = own().filter(|worker| name(worker.state) == Some(state)).count();
        samples.add(&WORKERS, &[("endpoint", id), ("state", state)], count);
    }
    let (started, crashed) = plane.roster.totals(&endpoint.id);
    samples.add(&WORKERS_STARTED, &[("endpoint", id)], started);
    samples.add(&WORKERS_CRASHED, &[("endpoint", id)], crashed);
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

const INFO: Family = Family::gauge("flash_platform_info", "The version of the platform.");
const JOBS: Family = Family::gauge("flash_jobs", "Jobs that have not ended.");
const JOBS_ENDED: Family = Family::counter(
    "flash_jobs_ended_total",
    "Jobs that ended, also before this process where jobs are durable.",
);
const JOBS_RETRIED: Family = Family::counter(
    "flash_jobs_retried_total",
    "Jobs that were dispatched again because their worker was lost.",
);
const QUEUE_AGE: Family =
    Family::gauge("flash_queue_oldest_seconds", "How long the oldest queued job has waited.");
const JOB_DELAY: Family =
    Family::histogram("flash_job_delay_seconds", "How long ended jobs had waited for their last worker.");
const JOB_EXECUTION: Family =
    Family::histogram("flash_job_execution_seconds", "How long the last workers of ended jobs needed.");
const REQUESTS: Family = Family::gauge("flash_http_requests", "Requests to an HTTP endpoint that are open.");
const WORKERS: Family = Family::gauge("flash_workers", "Worker processes that live.");
const WORKERS_STARTED: Family =
    Family::counter("flash_workers_started_total", "Worker processes that were started.");
const WORKERS_CRASHED: Family =
    Family::counter("flash_workers_crashed_total", "Worker processes that ended without being asked to.");
