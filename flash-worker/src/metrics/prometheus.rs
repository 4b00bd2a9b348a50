//! The text that a Prometheus reads: `GET /metrics` on `FLASH_METRICS_PORT`, in the exposition format 0.0.4
//! (<https://prometheus.io/docs/instrumenting/exposition_formats/>). Times are seconds.

use std::fmt::Write as _;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

use axum::Router;
use axum::routing::get;
use flash_core::boot::Boot;
use http::{HeaderValue, header};
use tokio::net::TcpListener;

use super::{ENDS, JOBS, Metrics, Names, REQUESTS, Reading, STATE, VERSION, WORKER};

const TEXT: HeaderValue = HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8");

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
    let label = |value: &str| value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
    let (endpoint, worker) = (label(&metrics.endpoint), label(&metrics.worker));
    let (info, help) = WORKER;
    let mut text = format!(
        "# HELP {info} {help}\n# TYPE {info} gauge\n\
         {info}{{endpoint=\"{endpoint}\",worker=\"{worker}\",version=\"{VERSION}\"}} 1\n"
    );
    write(&mut text, &JOBS, &metrics.jobs.read(), &endpoint);
    write(&mut text, &REQUESTS, &metrics.requests.read(), &endpoint);
    text
}

/// Writes the three families of a kind of work.
fn write<const ENDINGS: usize>(
    text: &mut String,
    names: &Names<ENDINGS>,
    read: &Reading<ENDINGS>,
    endpoint: &str,
) {
    let head = |text: &mut String, name: &str, kind: &str, help: &str| {
        // Writing to a string cannot fail.
        let _ = write!(text, "# HELP {name} {help}\n# TYPE {name} {kind}\n");
    };
    let (running, running_help) = names.running;
    head(text, running, "gauge", running_help);
    let now = read.running;
    let _ = writeln!(text, "{running}{{endpoint=\"{endpoint}\",state=\"{STATE}\"}} {now}");

    let (ended, label, ended_help) = names.ended;
    head(text, ended, "counter", ended_help);
    for (ending, count) in names.endings.iter().zip(read.ended) {
        let _ = writeln!(text, "{ended}{{endpoint=\"{endpoint}\",{label}=\"{ending}\"}} {count}");
    }

    let (took, took_help) = names.took;
    head(text, took, "histogram", took_help);
    let mut count = 0;
    for (at, class) in read.classes.iter().enumerate() {
        count += class;
        let end = ENDS
            .get(at)
            .map_or_else(|| "+Inf".to_owned(), |end| Duration::from_millis(*end).as_secs_f64().to_string());
        let _ = writeln!(text, "{took}_bucket{{endpoint=\"{endpoint}\",le=\"{end}\"}} {count}");
    }
    let seconds = read.took.as_secs_f64();
    let _ = writeln!(text, "{took}_sum{{endpoint=\"{endpoint}\"}} {seconds}");
    let _ = writeln!(text, "{took}_count{{endpoint=\"{endpoint}\"}} {count}");
}

#[cfg(test)]
mod tests {
    use http::StatusCode;

    use super::super::Running;
    use super::*;

    #[test]
    fn what_is_counted_stands_in_the_text_and_classes_add_up() {
        let metrics = Box::leak(Box::new(Metrics::new("wo\"rds", "w1")));
        let running = Running::begin(Some(&metrics.jobs));
        assert!(text(metrics).contains("flash_jobs{endpoint=\"wo\\\"rds\",state=\"in_progress\"} 1\n"));
        running.ended(true);
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
