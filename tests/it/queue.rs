//! The queue door in the local role.

use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::client::Client;

/// The typed half of a failed job's error string.
fn typed(job: &Value) -> Value {
    let text = job["error"].as_str().unwrap_or_else(|| panic!("no error in {job}"));
    serde_json::from_str(text).unwrap()
}

#[tokio::test]
async fn a_job_runs_and_its_result_is_kept() {
    let client = Client::start().await;
    let (status, job) = client.post("/echo/runsync", r#"{"input": {"text": "ab", "times": 2}}"#).await;
    assert_eq!((status, &job["status"]), (StatusCode::OK, &json!("COMPLETED")), "{job}");
    assert_eq!(job["output"], json!(["abab", null]));

    let (_, accepted) = client.post("/echo/run", r#"{"input": {"text": "x"}}"#).await;
    assert_eq!(accepted["status"], "IN_QUEUE");
    let path = format!("/echo/status/{}", accepted["id"].as_str().unwrap());
    // The job runs without anybody asking for it; the look only has to be late enough.
    let job = loop {
        let (_, job) = client.get(&path).await;
        if job["status"] != "IN_QUEUE" && job["status"] != "IN_PROGRESS" {
            break job;
        }
        tokio::task::yield_now().await;
    };
    assert_eq!((&job["status"], &job["output"]), (&json!("COMPLETED"), &json!(["x", null])));
}

#[tokio::test]
async fn bad_input_fails_the_job_with_the_path() {
    let client = Client::start().await;
    for (input, code, part) in [
        (r#"{}"#, "invalid_input", "input.text: missing field"),
        (r#"{"text": "a", "times": "x"}"#, "invalid_input", "input.times: expected u32, got string"),
        (r#"{"text": "a", "tmies": 1}"#, "invalid_input", "did you mean `times`?"),
        (r#"[1]"#, "invalid_input", "expected an object"),
        (r#""text""#, "invalid_input", "expected an object"),
        (r#"{"text": "a", "method": "other"}"#, "unknown_function", "no function `other`"),
    ] {
        let (status, job) = client.post("/echo/runsync", &format!(r#"{{"input": {input}}}"#)).await;
        assert_eq!((status, &job["status"]), (StatusCode::OK, &json!("FAILED")), "{input} {job}");
        let error = typed(&job);
        assert_eq!(error["flash"]["code"], code, "{input}");
        assert!(error["error_message"].as_str().unwrap().contains(part), "{input} {error}");
        assert_eq!(error["flash"]["request_id"], job["id"]);
    }
}

#[tokio::test]
async fn a_body_of_the_wrong_shape_is_shown_the_right_one() {
    let client = Client::start().await;
    let (status, answer) = client.post("/echo/runsync", r#"{"text": "a"}"#).await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
    assert!(answer["error"].as_str().unwrap().contains(r#"{"input": {"text": "a"}}"#), "{answer}");
    let (status, _) = client.post("/echo/runsync", r#"{"input":"#).await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
    let body = format!(r#"{{"input": {{"text": "{}"}}}}"#, "x".repeat(20_000_000));
    let (status, answer) = client.post("/echo/runsync", &body).await;
    assert_eq!(status, StatusCode::PAYLOAD_TOO_LARGE);
    assert!(answer["error"].as_str().unwrap().contains("20000000"), "{answer}");
}

#[tokio::test]
async fn all_functions_of_an_endpoint_are_reachable() {
    let client = Client::start().await;
    let (_, job) = client.post("/mixed/runsync", r#"{"input": {"method": "check", "text": "abc"}}"#).await;
    assert_eq!(job["output"], 3, "{job}");
    let (_, job) = client.post("/mixed/runsync", r#"{"input": {"method": "block", "millis": 1}}"#).await;
    assert_eq!(job["output"], 1, "{job}");
    let (_, job) = client.post("/mixed/runsync", r#"{"input": {"text": "abc"}}"#).await;
    let message = typed(&job)["error_message"].as_str().unwrap().to_owned();
    assert!(message.contains("`check`") && message.contains("method"), "{message}");
}

#[tokio::test]
async fn failures_are_typed_and_keep_their_secrets() {
    let client = Client::start().await;
    let run = async |input: &str| {
        let (_, job) = client.post("/mixed/runsync", &format!(r#"{{"input": {input}}}"#)).await;
        assert_eq!(job["status"], "FAILED", "{job}");
        job
    };
    let error = typed(&run(r#"{"method": "check", "text": "much too long"}"#).await);
    assert_eq!(error["flash"]["code"], "too_long");
    assert_eq!(error["flash"]["data"], json!({"length": 13, "limit": 10}));
    assert_eq!(error["flash"]["retryable"], true);
    for method in ["explode", "leak"] {
        let job = run(&format!(r#"{{"method": "{method}"}}"#)).await;
        assert!(!job.to_string().contains("secret"), "{job}");
    }
    // One panic takes nothing else down.
    let (_, job) = client.post("/mixed/runsync", r#"{"input": {"method": "check", "text": "abc"}}"#).await;
    assert_eq!(job["output"], 3);
}

#[tokio::test]
async fn a_result_over_the_limit_fails_with_its_size() {
    let client = Client::start().await;
    let (_, job) = client.post("/mixed/runsync", r#"{"input": {"method": "big", "bytes": 20000000}}"#).await;
    assert_eq!(job["status"], "FAILED");
    let error = typed(&job);
    assert_eq!(error["flash"]["code"], "result_too_large");
    assert!(error["error_message"].as_str().unwrap().contains("20000002 bytes"), "{error}");
}

#[tokio::test]
async fn a_running_job_is_cancelled() {
    let client = Client::start().await;
    let (_, accepted) = client.post("/mixed/run", r#"{"input": {"method": "slow", "millis": 600000}}"#).await;
    let id = accepted["id"].as_str().unwrap();
    let (_, cancelled) = client.post(&format!("/mixed/cancel/{id}"), "").await;
    assert_eq!(cancelled["status"], "CANCELLED");
    let (_, job) = client.get(&format!("/mixed/status/{id}")).await;
    assert_eq!(job["status"], "CANCELLED");
}
