//! The text that a Prometheus reads: `GET /metrics` on `FLASH_METRICS_PORT`.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use axum::Router;
use axum::routing::get;
use flash_core::boot::Boot;
use flash_core::metrics::{Samples, TEXT};
use http::header;
use tokio::net::TcpListener;

use super::{JOBS, Metrics, Names, REQUESTS, Reading, STATE, VERSION, WORKER};

/// Serves the metrics, if `FLASH_METRICS_PORT` asks for it. On loopback, unless `FLASH_HOST` says otherwise: nobody is asked for
/// a key here.
///
/// # Errors
/// A port that cannot be bound, named.
pub(super) async fn serve(boot: &Boot, metrics: impl FnOnce() -> &'static Metrics) -> Result<(), String> {
    let Some(port) = boot.metrics_port else { return Ok(()) };
    let address = SocketAddr::new(boot.host.unwrap_or(IpAddr::V4(Ipv4Addr::LOCALHOST)), port);
    let listener = TcpListener::bind(address)
        .await
        .map_err(|error| format!("FLASH_METRICS_PORT: {address} cannot be bound: {error}"))?;
    let metrics = metrics();
    let answer = || async { ([(header::CONTENT_TYPE, TEXT)], text(metrics)) };
    let router = Router::new().route("/metrics", get(answer));
    // The port may have been left to the kernel.
    let address = listener.local_addr().unwrap_or(address);
    tracing::info!(%address, "metrics are served at /metrics");
    tokio::spawn(async move { axum::serve(listener, router).await });
    Ok(())
}

fn text(metrics: &Metrics) -> String {
    let (endpoint, mut samples) = (metrics.endpoint.as_str(), Samples::default());
    samples.add(&WORKER, &[("endpoint", endpoint), ("worker", &metrics.worker), ("version", VERSION)], 1);
    write(&mut samples, &JOBS, &metrics.jobs.read(), endpoint);
    write(&mut samples, &REQUESTS, &metrics.requests.read(), endpoint);
    samples.text()
}

/// Adds the three families of a kind of work.
fn write<const ENDINGS: usize>(
    samples: &mut Samples,
    names: &Names<ENDINGS>,
    read: &Reading<ENDINGS>,
    endpoint: &str,
) {
    samples.add(&names.running, &[("endpoint", endpoint), ("state", STATE)], read.running);
    let (label, endings) = names.endings;
    for (ending, count) in endings.into_iter().zip(read.ended) {
        samples.add(&names.ended, &[("endpoint", endpoint), (label, ending)], count);
    }
    samples.durations(&names.took, &[("endpoint", endpoint)], &read.took);
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use http::StatusCode;

    use super::super::Running;
    use super::*;

    #[test]
    fn what_is_counted_stands_in_the_text_and_classes_add_up() {
        let metrics = Box::leak(Box::new(Metrics::new("wo\"rds", "w1")));
        let running = Running::begin(Some(&metrics.jobs));
        assert!(text(metrics).contains("flash_jobs{endpoint=\"wo\\\"rds\",state=\"in_progress\"} 1\n"));
        drop(running);
        metrics.jobs.count(0, Duration::from_millis(25));
        metrics.jobs.count(1, Duration::from_millis(30));
        metrics.jobs.count(0, Duration::from_secs(4_000));
        Running::begin(Some(&metrics.requests)).answered(StatusCode::NOT_FOUND);
        let text = text(metrics);
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
}
