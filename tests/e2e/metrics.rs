//! What worker processes count, as a Prometheus reads it.

use std::collections::BTreeSet;

use flash_local::{EndpointSpec, LocalPlatform};
use serde_json::json;

use crate::processes::post;

/// The address at which a worker of this endpoint says that it serves its metrics.
async fn address(platform: &LocalPlatform, endpoint: &str) -> String {
    loop {
        let workers = platform.workers().into_iter().filter(|worker| worker.endpoint.as_str() == endpoint);
        let lines = workers.filter_map(|worker| platform.logs(&worker.id)).flatten();
        for line in lines.filter(|line| line.text.contains("metrics are served")) {
            let after = line.text.split("127.0.0.1:").nth(1);
            let port = after.map(|text| text.chars().take_while(char::is_ascii_digit).collect::<String>());
            if let Some(port) = port.filter(|port| !port.is_empty()) {
                return format!("http://127.0.0.1:{port}/metrics");
            }
        }
        tokio::task::yield_now().await;
    }
}

pub(crate) async fn read(url: &str) -> String {
    let request = flash_platform::HttpClient::new().request(reqwest::Method::GET, url).unwrap();
    let answer = request.send().await.unwrap();
    assert_eq!(answer.headers()["content-type"], "text/plain; version=0.0.4; charset=utf-8");
    answer.text().await.unwrap()
}

/// Names and kinds of the families of a text.
fn families(text: &str) -> BTreeSet<&str> {
    text.lines().filter_map(|line| line.strip_prefix("# TYPE ")).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn workers_count_jobs_and_requests_under_the_names_of_the_platform() {
    let app = env!("CARGO_BIN_EXE_fixture-app");
    let platform = LocalPlatform::start().await.unwrap();
    let specs = [EndpointSpec::queue("mixed", app), EndpointSpec::load_balanced("api", app)];
    platform.add_endpoints(specs.map(|spec| spec.env("FLASH_METRICS_PORT", "0"))).await.unwrap();
    let queue = platform.endpoint_url("mixed").unwrap();
    for (text, status) in [("one two", "COMPLETED"), ("", "FAILED"), ("three", "COMPLETED")] {
        let input = json!({"input": {"method": "check", "text": text}});
        let (_, job) = post(&format!("{queue}/runsync"), &input).await;
        assert_eq!(job["status"], status, "{job}");
    }
    let text = read(&address(&platform, "mixed").await).await;
    let has =
        |text: &str, line: &str| assert!(text.lines().any(|other| other == line), "{line} is not in\n{text}");
    has(&text, "flash_jobs{endpoint=\"mixed\",state=\"in_progress\"} 0");
    has(&text, "flash_jobs_ended_total{endpoint=\"mixed\",result=\"completed\"} 2");
    has(&text, "flash_jobs_ended_total{endpoint=\"mixed\",result=\"failed\"} 1");
    has(&text, "flash_job_execution_seconds_count{endpoint=\"mixed\"} 3");

    let api = platform.endpoint_url("api").unwrap();
    let (status, _) = post(&format!("{api}/no-such-route"), &json!({})).await;
    assert_eq!(status, 404);
    let text = read(&address(&platform, "api").await).await;
    has(&text, "flash_http_requests_ended_total{endpoint=\"api\",class=\"4xx\"} 1");

    // What both count has one name, one kind and the same labels.
    let theirs = read(&format!("{}/metrics", platform.base_url())).await;
    let shared = [
        "flash_jobs gauge",
        "flash_jobs_ended_total counter",
        "flash_job_execution_seconds histogram",
        "flash_http_requests gauge",
    ];
    for family in shared {
        assert!(families(&text).contains(family) && families(&theirs).contains(family), "{family}\n{theirs}");
    }
    has(&theirs, "flash_jobs_ended_total{endpoint=\"mixed\",result=\"completed\"} 2");
    platform.shutdown().await;
}
