//! Health, and a worker that takes its leave.

use flash_core::boot::Boot;
use flash_core::clock::Clock;
use flash_tests::barrier::Barrier;
use flash_worker::http::HttpError;
use serde_json::json;

use super::client::{Web, request};

#[tokio::test]
async fn a_stop_finishes_what_runs_and_loses_nothing_that_still_comes() {
    let web = Web::start().await;
    let mut kept = web.connect().await;
    kept.send(&request("GET", "/caller", "", b"")).await;
    assert_eq!(kept.answer().await.header("connection"), None);
    let mut held = web.connect().await;
    held.send(&request("POST", "/hold", "content-type: application/json\r\n", br#"{"barrier": "stop"}"#))
        .await;
    let mut probe = web.connect().await;
    let mut crossing = web.connect().await;

    web.shutdown.start();
    // A client that does not know yet is served, and asked not to come back on this connection.
    kept.send(&request("GET", "/caller", "", b"")).await;
    let answer = kept.answer().await;
    assert_eq!((answer.status, answer.header("connection")), (200, Some("close")));
    let late = web.get("/caller").await;
    assert_eq!(late.status, 200);
    // The gateway is told why, and then sends nothing more.
    probe.send(&request("GET", "/ping", "", b"")).await;
    let health = probe.answer().await;
    assert_eq!((health.status, &health.json()["status"]), (503, &json!("draining")));
    // What it sent a moment before it heard that is answered too.
    crossing.send(&request("GET", "/caller", "", b"")).await;
    assert_eq!(crossing.answer().await.status, 200);

    Barrier::named("stop").open();
    assert_eq!(held.answer().await.json(), json!("stop"));
    web.running.await.unwrap().unwrap();
}

#[tokio::test]
async fn a_fatal_error_ends_the_worker_as_unhealthy() {
    let web = Web::start().await;
    let answer = web.post("/break", "{}").await;
    assert_eq!((answer.status, &answer.json()["code"]), (500, &json!("gpu_lost")));
    let mut health = web.get("/ping").await;
    while health.status == 200 {
        health = web.get("/ping").await;
    }
    assert_eq!((health.status, &health.json()["status"]), (503, &json!("unhealthy")));
    let ended = web.running.await.unwrap().unwrap_err();
    assert!(matches!(ended, HttpError::Unhealthy(_)), "{ended}");
}

#[tokio::test]
async fn health_has_its_path_and_its_port() {
    let mut boot = Boot::default();
    boot.endpoint_id = Some("ep-1".to_owned());
    let web = Web::start_with(Clock::real(), boot).await;
    let health = web.get("/ping").await;
    assert_eq!(
        (health.status, health.json()),
        (200, json!({"status": "healthy", "endpoint": "lb", "id": "ep-1"}))
    );
    web.stop().await;
}

#[tokio::test]
async fn a_health_path_that_is_a_route_too_is_refused() {
    for path in ["/caller", "/page"] {
        let mut boot = Boot::default();
        boot.host = Some([127, 0, 0, 1].into());
        boot.port = Some(0);
        boot.health_path = path.to_owned();
        let app = flash::App::of(std::sync::Arc::new(flash::Registry::linked().unwrap()));
        let bound = flash_worker::http::HttpWorker::bind(app, &flash_tests::web::WEB, boot).await;
        let error = bound.unwrap_err().to_string();
        assert!(error.contains(&format!("HEALTH_CHECK_PATH={path} is also a route")), "{error}");
    }
}
