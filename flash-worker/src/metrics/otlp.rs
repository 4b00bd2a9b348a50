//! Pushes what was counted to an OpenTelemetry collector: OTLP over HTTP, in its JSON encoding
//! (<https://opentelemetry.io/docs/specs/otlp/#otlphttp>), which servers take on the same port as the binary one.
//!
//! Names and attributes are those of the text for Prometheus. Sums and histograms are cumulative, so a push that is lost loses
//! nothing but a point in time, and none is repeated. A collector that does not answer costs a line in the log.

use std::str::FromStr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use flash_core::boot::Boot;
use flash_core::clock::{Clock, Timestamp};
use flash_core::metrics::{ENDS, Family};
use flash_platform::HttpClient;
use http::{HeaderMap, HeaderName, HeaderValue, header};
use percent_encoding::percent_decode_str;
use reqwest::{Method, Response, Url};
use serde_json::{Value, json};
use tokio::task::JoinHandle;

use super::{JOBS, Metrics, Names, REQUESTS, Reading, STATE, VERSION, WORKER};

/// How long a push may take; the default of OpenTelemetry's exporters.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long the last one may keep a process whose work is done.
const LAST: Duration = Duration::from_secs(2);
/// Of an answer, no more than this is read.
const LONGEST_ANSWER: usize = 16 * 1024;
/// `AGGREGATION_TEMPORALITY_CUMULATIVE`; the JSON of OTLP has enumerations as numbers.
const CUMULATIVE: u8 = 2;

/// Pushes at regular times.
pub(super) struct Pusher {
    collector: Arc<Collector>,
    regularly: JoinHandle<()>,
}

impl Pusher {
    /// Begins, if the environment names a usable address. The first push comes after the first interval: the start of a worker
    /// is for its first job.
    pub(super) fn start(boot: &Boot, metrics: impl FnOnce() -> &'static Metrics) -> Option<Self> {
        let url = match usable(boot.otlp.address.as_deref()?) {
            Ok(url) => url,
            Err(reason) => {
                tracing::warn!(reason, "OTEL_EXPORTER_OTLP_ENDPOINT is not usable, so no metrics are pushed");
                return None;
            }
        };
        let (metrics, interval) = (metrics(), boot.otlp.interval);
        tracing::info!(host = url.host_str(), ?interval, "metrics are pushed by OTLP");
        let collector = Arc::new(Collector {
            http: HttpClient::new(),
            url,
            headers: headers(boot.otlp.headers.as_ref().map_or("", |headers| headers.expose())),
            service: boot.otlp.service.as_ref().or(boot.app.as_ref()).unwrap_or(&metrics.endpoint).clone(),
            metrics,
            began: Clock::real().now(),
            is_lost: AtomicBool::new(false),
        });
        let pushed = Arc::clone(&collector);
        let regularly = tokio::spawn(async move {
            loop {
                tokio::time::sleep(interval).await;
                pushed.push(PATIENCE).await;
            }
        });
        Some(Self { collector, regularly })
    }

    /// Pushes what was counted until the end.
    pub(super) async fn finish(self) {
        self.regularly.abort();
        // An older push must not arrive after this one.
        let _ = self.regularly.await;
        self.collector.push(LAST).await;
    }
}

/// Whom the metrics are for, and what he knows.
struct Collector {
    http: HttpClient,
    url: Url,
    headers: HeaderMap,
    service: String,
    metrics: &'static Metrics,
    began: Timestamp,
    /// Whether the last push failed, and the log says so.
    is_lost: AtomicBool,
}

impl Collector {
    async fn push(&self, patience: Duration) {
        let pushed = tokio::time::timeout(patience, self.post()).await;
        let pushed = pushed.unwrap_or_else(|_| Err(format!("it did not answer within {patience:?}")));
        let was_lost = self.is_lost.swap(pushed.is_err(), Ordering::Relaxed);
        match pushed {
            Ok(()) if was_lost => tracing::info!("the collector of metrics takes them again"),
            Ok(()) => {}
            Err(reason) if was_lost => tracing::debug!(reason, "the collector of metrics takes none yet"),
            Err(reason) => {
                let host = self.url.host_str();
                tracing::warn!(host, reason, "the collector of metrics takes none; this is said once");
            }
        }
    }

    /// Why it failed is said without the address, the headers and the answer: each of them may hold a key.
    async fn post(&self) -> Result<(), String> {
        let body = self.document(Clock::real().now()).to_string();
        let request =
            self.http.request(Method::POST, self.url.as_str()).map_err(|error| error.to_string())?;
        let sent = request.headers(self.headers.clone()).body(body).send().await;
        let answer = sent.map_err(|error| cause(&error.without_url()))?;
        match (answer.status(), rejected(answer).await) {
            (status, _) if !status.is_success() => Err(format!("it answered {status}")),
            (_, 0) => Ok(()),
            (_, points) => Err(format!("it rejected {points} points and took the others")),
        }
    }

    /// An `ExportMetricsServiceRequest`.
    fn document(&self, now: Timestamp) -> Value {
        let metrics = self.metrics;
        let points = Points { endpoint: &metrics.endpoint, began: nanos(self.began), now: nanos(now) };
        let (Family { name, help, .. }, worker) = (WORKER, metrics.worker.as_str());
        let info = points.point(&[("worker", worker), ("version", VERSION)], int(1));
        let info = json!({"name": name, "description": help, "gauge": {"dataPoints": [info]}});
        let jobs = points.families(&JOBS, &metrics.jobs.read());
        let requests = points.families(&REQUESTS, &metrics.requests.read());
        let families: Vec<_> = [info].into_iter().chain(jobs).chain(requests).collect();
        let resource = [("service.name", self.service.as_str()), ("service.instance.id", worker)];
        json!({"resourceMetrics": [{
            "resource": {"attributes": attributes(resource)},
            "scopeMetrics": [{"scope": {"name": "flash", "version": VERSION}, "metrics": families}],
        }]})
    }
}

/// What the points of one push have in common.
struct Points<'a> {
    endpoint: &'a str,
    began: String,
    now: String,
}

impl Points<'_> {
    fn point(&self, labels: &[(&str, &str)], mut point: Value) -> Value {
        let labels = [("endpoint", self.endpoint)].into_iter().chain(labels.iter().copied());
        point["attributes"] = attributes(labels);
        point["startTimeUnixNano"] = self.began.as_str().into();
        point["timeUnixNano"] = self.now.as_str().into();
        point
    }

    /// The three families of a kind of work.
    fn families<const ENDINGS: usize>(&self, names: &Names<ENDINGS>, read: &Reading<ENDINGS>) -> [Value; 3] {
        let now = [self.point(&[("state", STATE)], int(read.running))];

        let (label, endings) = names.endings;
        let endings = endings.into_iter().zip(read.ended);
        let endings: Vec<_> =
            endings.map(|(ending, count)| self.point(&[(label, ending)], int(count))).collect();

        let classes = self.point(
            &[],
            json!({
                "count": read.took.count().to_string(),
                "sum": read.took.sum.as_secs_f64(),
                "bucketCounts": read.took.classes.map(|class| class.to_string()),
                "explicitBounds": ENDS.map(|end| end.as_secs_f64()),
            }),
        );
        let Names { running, ended, took, .. } = names;
        let sum = |is_monotonic: bool, points: &[Value]| json!({"dataPoints": points, "aggregationTemporality": CUMULATIVE, "isMonotonic": is_monotonic});
        [
            // What runs on several workers adds up, so it is a sum that may fall; a Prometheus makes a gauge of it.
            json!({"name": running.name, "description": running.help, "sum": sum(false, &now)}),
            json!({"name": ended.name, "description": ended.help, "sum": sum(true, &endings)}),
            json!({"name": took.name, "description": took.help, "unit": "s",
                "histogram": {"dataPoints": [classes], "aggregationTemporality": CUMULATIVE}}),
        ]
    }
}

fn attributes<'a>(labels: impl IntoIterator<Item = (&'a str, &'a str)>) -> Value {
    labels.into_iter().map(|(key, value)| json!({"key": key, "value": {"stringValue": value}})).collect()
}

/// Integers of 64 bits are text in the JSON of Protocol Buffers.
fn int(value: impl Into<i128>) -> Value {
    let value: i128 = value.into();
    json!({"asInt": value.to_string()})
}

fn nanos(at: Timestamp) -> String {
    (u128::from(at.as_millis()) * 1_000_000).to_string()
}

fn usable(address: &str) -> Result<Url, String> {
    let url = Url::parse(address.trim()).map_err(|error| error.to_string())?;
    match url.scheme() {
        "http" | "https" => Ok(url),
        _ => Err("it does not begin with http:// or https://".to_owned()),
    }
}

/// What `OTEL_EXPORTER_OTLP_HEADERS` holds: `name=value` pairs with commas between them, the values percent-encoded
/// (<https://opentelemetry.io/docs/specs/otel/protocol/exporter/#specifying-headers-via-environment-variables>).
fn headers(text: &str) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (at, pair) in text.split(',').enumerate().filter(|(_, pair)| !pair.trim().is_empty()) {
        match read_header(pair) {
            Some((name, value)) => drop(headers.insert(name, value)),
            // Not even its name is shown: who forgets it has written a key there.
            None => tracing::warn!(
                "entry {} of OTEL_EXPORTER_OTLP_HEADERS is no `name=value` and is not sent",
                at + 1
            ),
        }
    }
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers
}

fn read_header(pair: &str) -> Option<(HeaderName, HeaderValue)> {
    let (name, value) = pair.split_once('=')?;
    let value: Vec<u8> = percent_decode_str(value.trim()).collect();
    let mut value = HeaderValue::from_bytes(&value).ok()?;
    value.set_sensitive(true);
    Some((HeaderName::from_str(name.trim()).ok()?, value))
}

/// How many points of a push that succeeded were not taken, as its answer has it (`ExportMetricsServiceResponse`).
async fn rejected(mut answer: Response) -> u64 {
    let mut body = Vec::new();
    while let Ok(Some(chunk)) = answer.chunk().await {
        body.extend_from_slice(&chunk);
        if body.len() > LONGEST_ANSWER {
            return 0;
        }
    }
    let body: Value = serde_json::from_slice(&body).unwrap_or_default();
    let points = &body["partialSuccess"]["rejectedDataPoints"];
    points.as_u64().or_else(|| points.as_str()?.parse().ok()).unwrap_or(0)
}

/// The innermost cause, which alone says something.
fn cause(error: &dyn std::error::Error) -> String {
    error.source().map_or_else(|| error.to_string(), cause)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_are_pairs_and_what_is_none_is_left_out() {
        let read = headers(
            " x-team = blue%20sky,authorization=Basic%20dTpw,,tail=a=b, secret-alone,=x,bad name=x,bad=%0A",
        );
        let pairs = read.iter().map(|(name, value)| (name.as_str(), value.to_str().unwrap()));
        assert_eq!(
            pairs.collect::<std::collections::BTreeSet<_>>().into_iter().collect::<Vec<_>>(),
            [
                ("authorization", "Basic dTpw"),
                ("content-type", "application/json"),
                ("tail", "a=b"),
                ("x-team", "blue sky"),
            ]
        );
        assert!(read["authorization"].is_sensitive() && !format!("{read:?}").contains("dTpw"));
    }

    #[test]
    fn only_an_address_of_http_is_usable() {
        for (address, is_usable) in [
            ("http://127.0.0.1:4318/v1/metrics", true),
            ("https://collector.example/v1/metrics?tenant=1", true),
            ("localhost:4317/v1/metrics", false),
            ("grpc://127.0.0.1:4317", false),
            ("127.0.0.1:4318/v1/metrics", false),
            ("http://", false),
        ] {
            assert_eq!(usable(address).is_ok(), is_usable, "{address}");
        }
    }
}
