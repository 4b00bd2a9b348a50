//! What worker processes push to a collector of metrics, and what becomes of their jobs when it fails.

use std::collections::BTreeSet;
use std::net::TcpListener;

use axum::Router;
use axum::extract::Request;
use axum::http::{HeaderMap, StatusCode};
use flash_local::{EndpointSpec, LocalPlatform};
use serde_json::{Value, json};
use tokio::net::TcpSocket;
use tokio::sync::mpsc;

use crate::metrics::read;
use crate::processes::post;
use crate::queue_worker::Worker;
use crate::recording_queue::Script;

const KEYS: &str = "authorization=Bearer%20fake-otlp-key,x-team=blue%20sky";

/// What was pushed at once.
struct Push {
    path: String,
    headers: HeaderMap,
    body: Value,
}

impl Push {
    fn families(&self) -> &[Value] {
        self.body["resourceMetrics"][0]["scopeMetrics"][0]["metrics"].as_array().unwrap()
    }

    fn family(&self, name: &str) -> &Value {
        self.families().iter().find(|family| family["name"] == name).unwrap_or_else(|| panic!("no {name}"))
    }

    /// Each point of every family, as `name{label="value"}`.
    fn points(&self) -> impl Iterator<Item = (String, &Value)> {
        self.families().iter().flat_map(|family| {
            let name = family["name"].as_str().unwrap();
            points_of(family).iter().map(move |point| {
                let labels = labels(&point["attributes"]).map(|(key, value)| format!("{key}=\"{value}\""));
                (format!("{name}{{{}}}", labels.collect::<Vec<_>>().join(",")), point)
            })
        })
    }

    fn count(&self, name: &str) -> u64 {
        let (_, point) =
            self.points().find(|(other, _)| other == name).unwrap_or_else(|| panic!("no {name}"));
        point["asInt"].as_str().unwrap().parse().unwrap()
    }
}

fn points_of(family: &Value) -> &Vec<Value> {
    let data = ["sum", "gauge", "histogram"].iter().find_map(|kind| family.get(kind)).unwrap();
    data["dataPoints"].as_array().unwrap()
}

fn labels(attributes: &Value) -> impl Iterator<Item = (&str, &str)> {
    let attributes = attributes.as_array().unwrap().iter();
    attributes.map(|attribute| {
        (attribute["key"].as_str().unwrap(), attribute["value"]["stringValue"].as_str().unwrap())
    })
}

/// A collector that keeps what it is sent.
struct Collector {
    url: String,
    pushes: mpsc::UnboundedReceiver<Push>,
}

impl Collector {
    async fn start() -> Self {
        Self::answering(StatusCode::OK, "{}").await
    }

    async fn answering(status: StatusCode, answer: &'static str) -> Self {
        let (sender, pushes) = mpsc::unbounded_channel();
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let router = Router::new().fallback(move |request: Request| {
            let sender = sender.clone();
            async move {
                let (parts, body) = request.into_parts();
                let body = axum::body::to_bytes(body, usize::MAX).await.unwrap();
                let body = serde_json::from_slice(&body).unwrap();
                let push = Push { path: parts.uri.to_string(), headers: parts.headers, body };
                // Late ones have no reader any more.
                let _ = sender.send(push);
                (status, answer)
            }
        });
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { url, pushes }
    }

    /// Everything up to a push like this one.
    async fn until(&mut self, reached: impl Fn(&Push) -> bool) -> Vec<Push> {
        let mut pushes = Vec::new();
        loop {
            pushes.push(self.pushes.recv().await.unwrap());
            if reached(&pushes[pushes.len() - 1]) {
                return pushes;
            }
        }
    }
}

fn check(text: &str) -> Value {
    json!({"method": "check", "text": text})
}

/// A worker of the queue `mixed`, in front of this script.
fn start(script: &Script, directory: &tempfile::TempDir, more: &[(&str, &str)]) -> Worker {
    let more: Vec<_> = [("FLASH_RESOURCE_NAME", "mixed")].iter().chain(more).copied().collect();
    Worker::start(&format!("http://{}", script.serve()), directory.path(), &more)
}

fn messages(worker: &Worker) -> Vec<(String, String)> {
    let text = |line: &Value, key: &str| line[key].as_str().unwrap().to_owned();
    worker.lines().iter().map(|line| (text(line, "level"), text(line, "message"))).collect()
}

/// Each sample of a text for Prometheus, as [`Push::points`] has it.
fn samples(text: &str) -> BTreeSet<String> {
    let histograms: Vec<_> =
        text.lines().filter_map(|line| line.strip_prefix("# TYPE ")?.strip_suffix(" histogram")).collect();
    let of_line = |line: &str| {
        let (name, labels) = line.rsplit_once(' ').unwrap().0.split_once('{').unwrap();
        let family = histograms.iter().find(|family| name.starts_with(**family)).unwrap_or(&name);
        let labels = labels.trim_end_matches('}').split(',').filter(|label| !label.starts_with("le="));
        format!("{family}{{{}}}", labels.collect::<Vec<_>>().join(","))
    };
    text.lines().filter(|line| !line.starts_with('#')).map(of_line).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_last_push_of_a_worker_has_all_its_jobs_under_the_names_for_prometheus() {
    let (mut collector, directory) = (Collector::start().await, tempfile::tempdir().unwrap());
    let script = Script::default().job("j1", &check("one")).job("j2", &check("")).job("j3", &check("two"));
    let environment = [
        ("OTEL_EXPORTER_OTLP_ENDPOINT", &*format!("{}/", collector.url)),
        ("OTEL_EXPORTER_OTLP_HEADERS", KEYS),
        ("FLASH_APP", "words"),
        ("FLASH_METRICS_PORT", "0"),
    ];
    let mut worker = start(&script, &directory, &environment);
    script.results_at_least(3).await;
    let served = messages(&worker).into_iter().find_map(|(_, message)| {
        Some(message.strip_prefix("metrics are served at /metrics address=")?.to_owned())
    });
    let text = read(&format!("http://{}/metrics", served.unwrap())).await;
    worker.terminate();
    assert!(worker.ended().await.success());

    // The first interval is a minute, so the last push is the only one.
    let push = collector.pushes.recv().await.unwrap();
    assert!(collector.pushes.try_recv().is_err());
    assert_eq!(push.path, "/v1/metrics");
    for (name, value) in [
        ("content-type", "application/json"),
        ("authorization", "Bearer fake-otlp-key"),
        ("x-team", "blue sky"),
    ] {
        assert_eq!(push.headers[name], value);
    }
    assert_eq!(push.points().map(|(point, _)| point).collect::<BTreeSet<_>>(), samples(&text));
    assert_eq!(push.count("flash_jobs{endpoint=\"e\",state=\"in_progress\"}"), 0);
    assert_eq!(push.count("flash_jobs_ended_total{endpoint=\"e\",result=\"completed\"}"), 2);
    assert_eq!(push.count("flash_jobs_ended_total{endpoint=\"e\",result=\"failed\"}"), 1);
    let resource = &push.body["resourceMetrics"][0]["resource"]["attributes"];
    let resource: Vec<_> = labels(resource).collect();
    assert_eq!(resource, [("service.name", "words"), ("service.instance.id", "pod-1")]);

    let running = &push.family("flash_jobs")["sum"];
    assert_eq!((&running["isMonotonic"], &running["aggregationTemporality"]), (&json!(false), &json!(2)));
    let ended = &push.family("flash_jobs_ended_total")["sum"];
    assert_eq!((&ended["isMonotonic"], &ended["aggregationTemporality"]), (&json!(true), &json!(2)));
    let took = push.family("flash_job_execution_seconds");
    assert_eq!((&took["unit"], &took["histogram"]["aggregationTemporality"]), (&json!("s"), &json!(2)));
    let took = &points_of(took)[0];
    let classes: Vec<u64> = took["bucketCounts"].as_array().unwrap().iter().map(number).collect();
    let ends = took["explicitBounds"].as_array().unwrap();
    assert_eq!((classes.len(), classes.iter().sum::<u64>()), (ends.len() + 1, 3));
    assert_eq!((&took["count"], &ends[0]), (&json!("3"), &json!(0.005)));
    assert!(took["sum"].as_f64().unwrap() > 0.0);
}

/// A 64-bit integer, which is text.
fn number(value: &Value) -> u64 {
    value.as_str().unwrap().parse().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn each_push_counts_from_the_start() {
    let (mut collector, directory) = (Collector::start().await, tempfile::tempdir().unwrap());
    let script = Script::default().job("j1", &check("one"));
    let environment = [
        // Taken as it is, and before the one for every kind of data.
        ("OTEL_EXPORTER_OTLP_METRICS_ENDPOINT", &*format!("{}/mine?tenant=1", collector.url)),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:1"),
        ("OTEL_METRIC_EXPORT_INTERVAL", "5"),
        ("OTEL_SERVICE_NAME", "mine"),
    ];
    let mut worker = start(&script, &directory, &environment);
    let completed = |push: &Push| push.count("flash_jobs_ended_total{endpoint=\"e\",result=\"completed\"}");
    let mut pushes = collector.until(|push| completed(push) == 1).await;
    script.add("j2", &check("two"));
    pushes.extend(collector.until(|push| completed(push) == 2).await);
    worker.terminate();
    assert!(worker.ended().await.success());
    while let Ok(push) = collector.pushes.try_recv() {
        pushes.push(push);
    }
    assert_eq!(completed(&pushes[pushes.len() - 1]), 2);
    let points = |push: &Push| points_of(push.family("flash_jobs_ended_total"))[0].clone();
    for (before, after) in pushes.iter().zip(&pushes[1..]) {
        assert!(completed(before) <= completed(after));
        let (before, after) = (points(before), points(after));
        assert_eq!(before["startTimeUnixNano"], after["startTimeUnixNano"]);
        assert!(number(&before["timeUnixNano"]) <= number(&after["timeUnixNano"]));
        assert!(number(&after["startTimeUnixNano"]) <= number(&after["timeUnixNano"]));
    }
    for push in &pushes {
        assert_eq!(push.path, "/mine?tenant=1");
        assert_eq!(
            push.body["resourceMetrics"][0]["resource"]["attributes"][0]["value"]["stringValue"],
            "mine"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_collector_that_refuses_is_named_once_in_the_log_and_no_key_is() {
    let partial =
        r#"{"partialSuccess": {"rejectedDataPoints": "4", "errorMessage": "fake-otlp-key is not known"}}"#;
    for (status, answer, reason) in [
        (StatusCode::SERVICE_UNAVAILABLE, "fake-otlp-key is not known", "it answered 503"),
        (StatusCode::OK, partial, "it rejected 4 points"),
    ] {
        let (mut collector, directory) =
            (Collector::answering(status, answer).await, tempfile::tempdir().unwrap());
        let script = Script::default().job("j1", &check("one"));
        let environment = [
            ("OTEL_EXPORTER_OTLP_ENDPOINT", &*collector.url.replace("//", "//fake-user:fake-otlp-key@")),
            ("OTEL_EXPORTER_OTLP_HEADERS", &*format!("{KEYS},fake-otlp-key-alone")),
            ("OTEL_METRIC_EXPORT_INTERVAL", "5"),
            ("RUST_LOG", "trace"),
        ];
        let mut worker = start(&script, &directory, &environment);
        for _ in 0..3 {
            collector.pushes.recv().await.unwrap();
        }
        script.results_at_least(1).await;
        assert_eq!(script.result_of("j1"), json!({"output": 3}));
        worker.terminate();
        assert!(worker.ended().await.success());
        let lines = messages(&worker);
        let warnings: Vec<_> =
            lines.iter().filter(|(level, _)| level == "WARN").map(|(_, text)| text).collect();
        let [header, refused] = *warnings else { panic!("{warnings:?}") };
        assert!(header.contains("entry 3 of OTEL_EXPORTER_OTLP_HEADERS"), "{header}");
        assert!(refused.contains(reason) && refused.contains("host=127.0.0.1"), "{refused}");
        let leaks: Vec<_> = lines.iter().filter(|(_, text)| text.contains("fake-otlp-key")).collect();
        assert!(leaks.is_empty(), "{leaks:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_collector_that_is_not_there_disturbs_nothing() {
    // Bound, so that nobody else has the port, but deaf.
    let refuses = TcpSocket::new_v4().unwrap();
    refuses.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    // The kernel takes its connections, and nobody answers them.
    let hangs = TcpListener::bind("127.0.0.1:0").unwrap();
    let cases = [
        (format!("http://{}", refuses.local_addr().unwrap()), "Connection refused"),
        (format!("http://{}", hangs.local_addr().unwrap()), "it did not answer within"),
        ("localhost:4317".to_owned(), "OTEL_EXPORTER_OTLP_ENDPOINT is not usable"),
    ];
    for (address, reason) in cases {
        let (directory, script) = (tempfile::tempdir().unwrap(), Script::default().job("j1", &check("one")));
        let environment =
            [("OTEL_EXPORTER_OTLP_ENDPOINT", &*address), ("OTEL_METRIC_EXPORT_INTERVAL", "soon")];
        let mut worker = start(&script, &directory, &environment);
        script.results_at_least(1).await;
        assert_eq!(script.result_of("j1"), json!({"output": 3}));
        worker.terminate();
        assert!(worker.ended().await.success(), "{address}");
        let lines = messages(&worker);
        let warnings: Vec<_> = lines.iter().filter(|(level, _)| level == "WARN").collect();
        assert!(matches!(*warnings, [(_, text)] if text.contains(reason)), "{address}: {warnings:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_behind_http_pushes_its_requests() {
    let mut collector = Collector::start().await;
    let platform = LocalPlatform::start().await.unwrap();
    let api = EndpointSpec::load_balanced("api", env!("CARGO_BIN_EXE_fixture-app"));
    platform.add_endpoints([api.env("OTEL_EXPORTER_OTLP_ENDPOINT", &collector.url)]).await.unwrap();
    let url = platform.endpoint_url("api").unwrap();
    let (status, _) = post(&format!("{url}/no-such-route"), &json!({})).await;
    assert_eq!(status, 404);
    platform.shutdown().await;
    let refused = |push: &Push| push.count("flash_http_requests_ended_total{endpoint=\"api\",class=\"4xx\"}");
    let push =
        std::iter::from_fn(|| collector.pushes.try_recv().ok()).find(|push| refused(push) == 1).unwrap();
    assert_eq!(push.count("flash_http_requests{endpoint=\"api\",state=\"in_progress\"}"), 0);
}
