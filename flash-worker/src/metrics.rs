//! What a worker counts, as a Prometheus reads it: `GET /metrics` on `FLASH_METRICS_PORT`, with the names that the platform
//! has for the same things.
//!
//! Off without that variable, and then a job or a request costs one look at an empty cell. The text is the exposition format
//! 0.0.4 (<https://prometheus.io/docs/instrumenting/exposition_formats/>): times are seconds, counters begin anew with the
//! process.

use std::fmt::Write as _;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use axum::Router;
use axum::routing::get;
use flash_core::boot::Boot;
use http::{HeaderValue, StatusCode, header};
use tokio::net::TcpListener;

use crate::identity::Identity;

const TEXT: HeaderValue = HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8");
/// Ends of the classes of a histogram, in milliseconds; the platform's.
const ENDS: [u64; 14] =
    [5, 10, 25, 50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000, 60_000, 300_000, 1_800_000];

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
    classes: [AtomicU64; ENDS.len() + 1],
    micros: AtomicU64,
}

impl<const ENDINGS: usize> Default for Work<ENDINGS> {
    fn default() -> Self {
        let zero = || AtomicU64::new(0);
        Self {
            running: AtomicI64::new(0),
            ended: std::array::from_fn(|_| zero()),
            classes: std::array::from_fn(|_| zero()),
            micros: zero(),
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
    /// It has an outcome.
    pub(crate) fn ended(&self, is_success: bool) {
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
        let class = ENDS.partition_point(|end| Duration::from_millis(*end) < took);
        self.classes[class].fetch_add(1, Ordering::Relaxed);
        let micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        self.micros.fetch_add(micros, Ordering::Relaxed);
    }

    fn write(&self, text: &mut String, names: &Names<ENDINGS>, endpoint: &str) {
        let head = |text: &mut String, name: &str, kind: &str, help: &str| {
            // Writing to a string cannot fail.
            let _ = write!(text, "# HELP {name} {help}\n# TYPE {name} {kind}\n");
        };
        let (running, running_help) = names.running;
        head(text, running, "gauge", running_help);
        let now = self.running.load(Ordering::Relaxed);
        let _ = writeln!(text, "{running}{{endpoint=\"{endpoint}\",state=\"in_progress\"}} {now}");

        let (ended, label, ended_help) = names.ended;
        head(text, ended, "counter", ended_help);
        for (ending, count) in names.endings.iter().zip(&self.ended) {
            let count = count.load(Ordering::Relaxed);
            let _ = writeln!(text, "{ended}{{endpoint=\"{endpoint}\",{label}=\"{ending}\"}} {count}");
        }

        let (took, took_help) = names.took;
        head(text, took, "histogram", took_help);
        let mut count = 0;
        for (at, class) in self.classes.iter().enumerate() {
            count += class.load(Ordering::Relaxed);
            let end = ENDS.get(at).map_or_else(
                || "+Inf".to_owned(),
                |end| Duration::from_millis(*end).as_secs_f64().to_string(),
            );
            let _ = writeln!(text, "{took}_bucket{{endpoint=\"{endpoint}\",le=\"{end}\"}} {count}");
        }
        let seconds = Duration::from_micros(self.micros.load(Ordering::Relaxed)).as_secs_f64();
        let _ = writeln!(text, "{took}_sum{{endpoint=\"{endpoint}\"}} {seconds}");
        let _ = writeln!(text, "{took}_count{{endpoint=\"{endpoint}\"}} {count}");
    }
}

/// How a kind of work is called: name and help of each family.
struct Names<const ENDINGS: usize> {
    running: (&'static str, &'static str),
    ended: (&'static str, &'static str, &'static str),
    endings: [&'static str; ENDINGS],
    took: (&'static str, &'static str),
}

const JOBS: Names<2> = Names {
    running: ("flash_jobs", "Jobs that have not ended."),
    ended: ("flash_jobs_ended_total", "result", "Jobs that ended, those that the platform stopped left out."),
    endings: ["completed", "failed"],
    took: ("flash_job_execution_seconds", "How long ended jobs needed."),
};

const REQUESTS: Names<5> = Names {
    running: ("flash_http_requests", "Requests that are open."),
    ended: ("flash_http_requests_ended_total", "class", "Requests by the class of their status."),
    endings: ["1xx", "2xx", "3xx", "4xx", "5xx"],
    took: ("flash_http_request_seconds", "How long it took until an answer began."),
};

impl Metrics {
    fn new(endpoint: &str, worker: &str) -> Self {
        let label = |value: &str| value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
        Self {
            endpoint: label(endpoint),
            worker: label(worker),
            jobs: Work::default(),
            requests: Work::default(),
        }
    }

    fn text(&self) -> String {
        let (endpoint, worker, version) = (&self.endpoint, &self.worker, env!("CARGO_PKG_VERSION"));
        let mut text = format!(
            "# HELP flash_worker_info The worker, and the version of its runtime.\n# TYPE flash_worker_info gauge\n\
             flash_worker_info{{endpoint=\"{endpoint}\",worker=\"{worker}\",version=\"{version}\"}} 1\n"
        );
        self.jobs.write(&mut text, &JOBS, endpoint);
        self.requests.write(&mut text, &REQUESTS, endpoint);
        text
    }
}

/// Counts from now on, and serves what was counted, if `FLASH_METRICS_PORT` asks for it. On loopback, unless `FLASH_HOST` says
/// otherwise: nobody is asked for a key here.
///
/// # Errors
/// A port that cannot be bound, named.
pub(crate) async fn serve(boot: &Boot, endpoint: &str) -> Result<(), String> {
    let Some(port) = boot.metrics_port else { return Ok(()) };
    let address = SocketAddr::new(boot.host.unwrap_or(IpAddr::V4(Ipv4Addr::LOCALHOST)), port);
    let listener = TcpListener::bind(address)
        .await
        .map_err(|error| format!("FLASH_METRICS_PORT: {address} cannot be bound: {error}"))?;
    // The platform calls a deployed endpoint by its id.
    let endpoint = boot.endpoint_id.as_deref().unwrap_or(endpoint);
    let metrics = METRICS.get_or_init(|| Metrics::new(endpoint, &Identity::new(boot).worker_id));
    let answer = || async { ([(header::CONTENT_TYPE, TEXT)], metrics.text()) };
    let router = Router::new().route("/metrics", get(answer));
    // The port may have been left to the kernel.
    let address = listener.local_addr().unwrap_or(address);
    tracing::info!(%address, "metrics are served at /metrics");
    tokio::spawn(async move { axum::serve(listener, router).await });
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_counted_stands_in_the_text_and_classes_add_up() {
        let metrics = Box::leak(Box::new(Metrics::new("wo\"rds", "w1")));
        let running = Running::begin(Some(&metrics.jobs));
        assert!(metrics.text().contains("flash_jobs{endpoint=\"wo\\\"rds\",state=\"in_progress\"} 1\n"));
        running.ended(true);
        drop(running);
        metrics.jobs.count(1, Duration::from_millis(30));
        metrics.jobs.count(0, Duration::from_secs(4_000));
        Running::begin(Some(&metrics.requests)).answered(StatusCode::NOT_FOUND);
        let text = metrics.text();
        for line in [
            "flash_jobs{endpoint=\"wo\\\"rds\",state=\"in_progress\"} 0",
            "flash_jobs_ended_total{endpoint=\"wo\\\"rds\",result=\"completed\"} 2",
            "flash_jobs_ended_total{endpoint=\"wo\\\"rds\",result=\"failed\"} 1",
            "flash_job_execution_seconds_bucket{endpoint=\"wo\\\"rds\",le=\"0.025\"} 1",
            "flash_job_execution_seconds_bucket{endpoint=\"wo\\\"rds\",le=\"0.05\"} 2",
            "flash_job_execution_seconds_bucket{endpoint=\"wo\\\"rds\",le=\"+Inf\"} 3",
            "flash_job_execution_seconds_count{endpoint=\"wo\\\"rds\"} 3",
            "flash_http_requests_ended_total{endpoint=\"wo\\\"rds\",class=\"4xx\"} 1",
        ] {
            assert!(text.lines().any(|other| other == line), "{line} is not in\n{text}");
        }
    }

    #[test]
    fn work_that_is_dropped_has_not_ended() {
        let work: &'static Work<2> = Box::leak(Box::default());
        drop(Running::begin(Some(work)));
        assert_eq!(work.running.load(Ordering::Relaxed), 0);
        assert!(work.ended.iter().all(|count| count.load(Ordering::Relaxed) == 0));
    }
}
