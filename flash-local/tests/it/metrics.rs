//! What a Prometheus reads.

use std::collections::{BTreeMap, BTreeSet};

use axum::body::Body;
use flash_local::LocalPlatform;
use http::{Request, StatusCode};
use http_body_util::BodyExt;
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;

use crate::scripted::Role;
use crate::support::{get, ok, poll, post, quick, ready, send};

const KEY: &str = "test-key-not-a-secret";

async fn text(platform: &LocalPlatform) -> String {
    let client: Client<_, Body> = Client::builder(TokioExecutor::new()).build_http();
    let request = Request::get(format!("{}/metrics", platform.base_url())).header("authorization", KEY);
    let response = client.request(request.body(Body::empty()).unwrap()).await.unwrap();
    assert_eq!(response.status(), StatusCode::OK);
    assert!(response.headers()["content-type"].to_str().unwrap().starts_with("text/plain; version=0.0.4"));
    String::from_utf8(response.into_body().collect().await.unwrap().to_bytes().to_vec()).unwrap()
}

/// All samples by name and labels. The text must be what the format says.
async fn samples(platform: &LocalPlatform) -> BTreeMap<String, f64> {
    let text = text(platform).await;
    assert!(text.ends_with('\n'));
    let (mut samples, mut family, mut seen) = (BTreeMap::new(), String::new(), Vec::new());
    for line in text.lines() {
        if let Some(help) = line.strip_prefix("# HELP ") {
            family = help.split(' ').next().unwrap().to_owned();
            assert!(!seen.contains(&family), "{family} is in two places");
            seen.push(family.clone());
        } else if let Some(kind) = line.strip_prefix("# TYPE ") {
            assert!(kind.starts_with(&format!("{family} ")), "{line}");
        } else {
            let (name, value) = line.rsplit_once(' ').unwrap();
            let bare = name.split('{').next().unwrap();
            let suffix = bare.strip_prefix(&family).unwrap();
            assert!(["", "_bucket", "_sum", "_count"].contains(&suffix), "{line}");
            assert!(samples.insert(name.to_owned(), value.parse().unwrap()).is_none(), "{line} comes twice");
        }
    }
    samples
}

/// The families that lines with this mark begin with.
fn names<'a>(text: &'a str, mark: &str) -> BTreeSet<&'a str> {
    let names = text.lines().filter_map(|line| line.strip_prefix(mark)?.split([' ', '`']).next());
    names.filter(|name| name.starts_with("flash_")).collect()
}

#[tokio::test]
async fn jobs_workers_and_times_are_counted() {
    let platform = LocalPlatform::builder().limits(quick()).api_key(KEY).start().await.unwrap();
    platform.add_endpoint(Role::Echo.spec("echo")).await.unwrap();
    platform.add_endpoint(Role::Hold.spec("hold")).await.unwrap();
    platform.add_endpoint(Role::Http.spec("web")).await.unwrap();
    let workers = ready(&platform, 3).await;
    let base = platform.base_url();
    let ask = async |path: &str| {
        let request = Request::post(format!("{base}/v2/{path}")).header("authorization", KEY);
        ok(send(request.body(Body::from(r#"{"input":1}"#)).unwrap()).await)
    };
    for _ in 0..3 {
        assert_eq!(ask("echo/runsync").await["status"], "COMPLETED");
    }
    for _ in 0..2 {
        ask("hold/run").await;
    }
    let found = poll("the job to be taken", async || {
        let found = samples(&platform).await;
        (found[r#"flash_jobs{endpoint="hold",state="in_progress"}"#] == 1.0).then_some(found)
    })
    .await;
    for (name, value) in [
        (r#"flash_jobs{endpoint="hold",state="queued"}"#, 1.0),
        (r#"flash_jobs{endpoint="echo",state="queued"}"#, 0.0),
        (r#"flash_jobs_ended_total{endpoint="echo",result="completed"}"#, 3.0),
        (r#"flash_jobs_ended_total{endpoint="echo",result="failed"}"#, 0.0),
        (r#"flash_jobs_retried_total{endpoint="hold"}"#, 0.0),
        (r#"flash_job_delay_seconds_count{endpoint="echo"}"#, 3.0),
        (r#"flash_job_execution_seconds_bucket{endpoint="echo",le="+Inf"}"#, 3.0),
        (r#"flash_job_execution_seconds_bucket{endpoint="echo",le="1800"}"#, 3.0),
        (r#"flash_http_requests{endpoint="web",state="in_progress"}"#, 0.0),
        (r#"flash_workers{endpoint="web",state="ready"}"#, 1.0),
        (r#"flash_workers_started_total{endpoint="hold"}"#, 1.0),
        (r#"flash_workers_crashed_total{endpoint="hold"}"#, 0.0),
    ] {
        assert_eq!(found.get(name), Some(&value), "{name}");
    }
    assert!(found[r#"flash_job_execution_seconds_sum{endpoint="echo"}"#] < 100.0, "times are seconds");

    // The list of them for people is neither too short nor too long.
    let text = text(&platform).await;
    let page = include_str!("../../../docs/platform.md");
    assert_eq!(names(&text, "# HELP "), names(page, "| `"));

    // A death shows.
    let hold = workers.iter().find(|worker| worker.endpoint == *"hold").unwrap();
    platform.kill_worker(&hold.id, flash_local::Signal::Kill).unwrap();
    poll("the crash", async || {
        let found = samples(&platform).await;
        let is = |name: &str, value: f64| found[name] == value;
        (is(r#"flash_workers_crashed_total{endpoint="hold"}"#, 1.0)
            && is(r#"flash_workers_started_total{endpoint="hold"}"#, 2.0)
            && is(r#"flash_jobs_retried_total{endpoint="hold"}"#, 1.0))
        .then_some(())
    })
    .await;

    // Without the key nothing is told.
    assert_eq!(get(&format!("{base}/metrics")).await.status, 401);
    assert_eq!(post(&format!("{base}/metrics"), "").await.status, 405);
    platform.shutdown().await;
}
