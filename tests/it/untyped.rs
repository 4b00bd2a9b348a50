//! Endpoints whose types are not known: JSON in, JSON out.

use std::time::Duration;

use flash::testing::LocalApp;
use flash::{CallError, Client};
use flash_core::wire::{FunctionRequest, JobStatus};
use serde_json::json;

async fn start() -> (LocalApp, Client) {
    let _ = &flash_tests::ECHO;
    let app = LocalApp::start().await.unwrap();
    let client = Client::new(&app.url(), None);
    (app, client)
}

#[tokio::test]
async fn any_endpoint_is_called_with_json() {
    let (_app, client) = start().await;
    let echo = client.queue("echo");
    let output = echo.call(json!({"text": "ab", "times": 2})).await.unwrap();
    assert_eq!(output, json!(["abab", null]));
    let CallError::Remote(error) = echo.call(json!({"text": 1})).await.unwrap_err() else { panic!() };
    assert_eq!(error.code(), "invalid_input");

    let job = echo.run(json!({"text": "x"})).await.unwrap();
    assert_eq!(job.wait().await.unwrap(), json!(["x", null]));
    assert_eq!(echo.job(job.id().clone()).status().await.unwrap(), JobStatus::Completed);
    let health = echo.health().await.unwrap();
    assert!(health.jobs.completed >= 2, "{health:?}");
    assert_eq!(echo.purge_queue().await.unwrap().removed, 0);

    let mixed = client.queue("mixed");
    let job = mixed.run(json!({"method": "slow", "millis": 600_000})).await.unwrap();
    assert_eq!(job.cancel().await.unwrap(), JobStatus::Cancelled);
    assert_eq!(job.wait().await.unwrap_err().code(), "cancelled");
    let late = mixed.call(json!({"method": "slow", "millis": 600_000})).timeout(Duration::from_millis(50));
    assert_eq!(late.await.unwrap_err().code(), "timeout");

    let items = client.queue("counter").call(json!({"to": 2})).stream().collect().await.unwrap();
    assert_eq!(json!(items), json!([{"n": 0}, {"n": 1}]));
    let unknown = client.queue("nothing").call(json!({})).await.unwrap_err();
    assert_eq!(unknown.code(), "not_found");
}

#[tokio::test]
async fn a_function_is_called_by_name_as_python_does() {
    let (_app, client) = start().await;
    let mixed = client.queue("mixed");
    let call = FunctionRequest::function("check").arg("abc").unwrap();
    assert_eq!(mixed.call_function(&call).await.unwrap(), json!(3));
    let call = FunctionRequest::function("check").kwarg("text", "").unwrap();
    let error = mixed.call_function(&call).await.unwrap_err();
    assert!(error.to_string().contains("the text is empty"), "{error}");
}
