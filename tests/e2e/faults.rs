//! Workers that are killed and stopped.

use flash_local::{EndpointSpec, LocalPlatform, Signal, WorkerInfo};
use flash_queue::Queue;
use serde_json::{Value, json};

use crate::processes::{fixture, post, post_api};

/// Waits until a worker has a job.
async fn in_progress(queue: &Queue) {
    while queue.health().await.unwrap().jobs.in_progress == 0 {
        tokio::task::yield_now().await;
    }
}

/// Signals the worker of an endpoint, and gives its process.
async fn kill(platform: &LocalPlatform, endpoint: &str, signal: Signal) -> u32 {
    kill_other(platform, endpoint, signal, 0).await
}

/// Signals a worker of an endpoint that is another process than `known`.
async fn kill_other(platform: &LocalPlatform, endpoint: &str, signal: Signal, known: u32) -> u32 {
    let serves = |worker: &WorkerInfo| worker.endpoint.as_str() == endpoint && worker.pid != known;
    let workers = platform.until_workers(|workers| workers.iter().any(serves)).await;
    let worker = workers.iter().find(|worker| serves(worker)).unwrap();
    platform.kill_worker(&worker.id, signal).unwrap();
    worker.pid
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_crosses_processes_with_its_types() {
    let platform = fixture().await;
    let url = format!("{}/pids", platform.endpoint_url("api").unwrap());
    let http = flash_platform::HttpClient::new();
    let answer =
        http.request(reqwest::Method::GET, &url).unwrap().send().await.unwrap().text().await.unwrap();
    let (here, there): (u32, u32) = serde_json::from_str(&answer).unwrap();
    assert_ne!(here, there);
    let (status, problem) = post_api(&platform, "/check", &json!({"text": "much too long"})).await;
    assert_eq!((status, &problem["data"]["code"]), (500, &json!("too_long")), "{problem}");
    assert_eq!(problem["retryable"], true);
    platform.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_whose_worker_was_killed_runs_again() {
    let platform = fixture().await;
    let queue = platform.queue("mixed").unwrap();
    let body = json!({"millis": 300});
    let call = post_api(&platform, "/slow", &body);
    let kill = async {
        in_progress(&queue).await;
        kill(&platform, "mixed", Signal::Kill).await;
    };
    let ((status, answer), ()) = tokio::join!(call, kill);
    assert_eq!((status, answer), (200, json!(300)));
    assert_eq!(queue.health().await.unwrap().jobs.retried, 1);
    platform.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_function_knows_that_its_job_lost_a_worker() {
    let platform = fixture().await;
    let app = env!("CARGO_BIN_EXE_fixture-app");
    platform.add_endpoints([EndpointSpec::queue("faults", app)]).await.unwrap();
    let queue = platform.queue("faults").unwrap();
    let url = format!("{}/runsync", platform.endpoint_url("faults").unwrap());
    // What a caller says of it does not count.
    let body = json!({"input": {"method": "slow_attempt", "millis": 300}, "retries": 7});
    let call = post(&url, &body);
    let kill = async {
        in_progress(&queue).await;
        kill(&platform, "faults", Signal::Kill).await;
    };
    let ((_, job), _) = tokio::join!(call, kill);
    assert_eq!((&job["status"], &job["output"]), (&json!("COMPLETED"), &json!(2)), "{job}");
    platform.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_whose_workers_are_killed_twice_fails_clearly() {
    let platform = fixture().await;
    let queue = platform.queue("mixed").unwrap();
    let url = format!("{}/runsync", platform.endpoint_url("mixed").unwrap());
    let body = json!({"input": {"method": "slow", "millis": 600_000}});
    let call = post(&url, &body);
    let kill_twice = async {
        in_progress(&queue).await;
        let killed = kill(&platform, "mixed", Signal::Kill).await;
        while queue.health().await.unwrap().jobs.retried == 0 {
            tokio::task::yield_now().await;
        }
        in_progress(&queue).await;
        kill_other(&platform, "mixed", Signal::Kill, killed).await;
    };
    let ((_, job), ()) = tokio::join!(call, kill_twice);
    assert_eq!(
        (&job["status"], &job["error"]),
        (&json!("FAILED"), &json!("job timed out after 1 retries")),
        "{job}"
    );
    // The job would go on for minutes, so nobody waits for it.
    drop(platform);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_whose_http_worker_is_killed_gets_a_clear_error() {
    let platform = fixture().await;
    let queue = platform.queue("mixed").unwrap();
    let body = json!({"millis": 600_000});
    let call = post_api(&platform, "/slow", &body);
    let kill = async {
        in_progress(&queue).await;
        kill(&platform, "api", Signal::Kill).await;
    };
    let ((status, answer), ()) = tokio::join!(call, kill);
    assert_eq!(status, 502, "{answer}");
    assert!(answer["error"].is_string(), "{answer}");
    // The job would go on for minutes, so nobody waits for it.
    drop(platform);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_that_is_told_to_stop_finishes_its_job() {
    let platform = fixture().await;
    let queue = platform.queue("mixed").unwrap();
    let url = platform.endpoint_url("mixed").unwrap();
    let mut stopped = 0;
    for method in ["slow", "block"] {
        let body = json!({"input": {"method": method, "millis": 300}});
        let (_, accepted) = post(&format!("{url}/run"), &body).await;
        in_progress(&queue).await;
        stopped = kill_other(&platform, "mixed", Signal::Terminate, stopped).await;
        let id = accepted["id"].as_str().unwrap().into();
        let job = queue.wait(&id, std::time::Duration::from_secs(60)).await.unwrap();
        let output: Value = serde_json::from_str(job.output.as_ref().unwrap().get()).unwrap();
        assert_eq!((output, job.retries), (json!(300), None), "{method}");
    }
    platform.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deployed_worker_runs_nothing_by_name() {
    let platform = fixture().await;
    let (status, _) =
        post_api(&platform, "/execute", &json!({"function": "check", "arguments": {"text": "a"}})).await;
    assert_eq!(status, 404);
    platform.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_that_nobody_declared_says_which_line_to_add() {
    let platform = fixture().await;
    let (status, problem) = post_api(&platform, "/hidden", &json!({"text": "a"})).await;
    assert_eq!((status, &problem["data"]["code"]), (502, &json!("undeclared_call")), "{problem}");
    let workers = platform.workers();
    let api = workers.iter().find(|worker| worker.endpoint.as_str() == "api").unwrap();
    let told = |platform: &LocalPlatform| {
        let logs = platform.logs(&api.id).unwrap();
        logs.iter()
            .any(|line| line.text.contains("add `calls(echo)` to the #[remote(…)] of `hidden_through`"))
    };
    while !told(&platform) {
        tokio::task::yield_now().await;
    }
    platform.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_http_worker_gets_no_request_before_its_state_is_ready() {
    let directory = tempfile::tempdir().unwrap();
    let gate = directory.path().join("gate");
    let platform = LocalPlatform::builder().record_traffic(true).start().await.unwrap();
    let app = env!("CARGO_BIN_EXE_fixture-app");
    let spec = EndpointSpec::load_balanced("gated", app).env("FIXTURE_GATE", &gate);
    platform.add_endpoints([spec]).await.unwrap();
    let workers = platform.until_workers(|workers| !workers.is_empty()).await;
    let http = flash_platform::HttpClient::new();
    let get = async |url: &str| http.request(reqwest::Method::GET, url).unwrap().send().await;

    // The worker itself says that it is starting.
    let ping = format!("http://127.0.0.1:{}/ping", workers[0].port.unwrap());
    while !get(&ping).await.is_ok_and(|answer| answer.status() == 204) {
        tokio::task::yield_now().await;
    }
    let url = format!("{}/gate", platform.endpoint_url("gated").unwrap());
    let open = async {
        // The request waits at the gateway; only then is the gate opened.
        while platform.traffic().is_empty() {
            tokio::task::yield_now().await;
        }
        std::fs::write(&gate, "open").unwrap();
    };
    let (answer, ()) = tokio::join!(get(&url), open);
    assert_eq!(answer.unwrap().text().await.unwrap(), r#""open""#);
    let ping = get(&ping).await.unwrap();
    assert_eq!(ping.status(), 200);
    let health: Value = serde_json::from_str(&ping.text().await.unwrap()).unwrap();
    assert_eq!((&health["status"], &health["endpoint"]), (&json!("healthy"), &json!("lb")));
    platform.shutdown().await;
}
