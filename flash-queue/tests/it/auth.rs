//! The hook that says who may call.

use axum::body::Body;
use flash_core::clock::Clock;
use flash_queue::Limits;
use flash_queue::routes::{Auth, Caller};

use crate::support::Server;

async fn status(server: &Server, method: &str, path: &str, token: Option<&str>) -> u16 {
    let mut request = server.request(method, path);
    if let Some(token) = token {
        request = request.header("authorization", token);
    }
    server.send(request.body(Body::from(r#"{"input":1}"#)).unwrap()).await.status.as_u16()
}

#[tokio::test]
async fn keys_are_asked_for_everywhere() {
    let server = Server::with(Clock::real(), Limits::default(), Auth::keys(["secret"])).await;
    for path in ["/v2/ep/run", "/inference/run"] {
        assert_eq!(status(&server, "POST", path, None).await, 401);
        assert_eq!(status(&server, "POST", path, Some("Bearer wrong")).await, 401);
        assert_eq!(status(&server, "POST", path, Some("Bearer secret")).await, 200);
        assert_eq!(status(&server, "POST", path, Some("secret")).await, 200);
    }
    assert_eq!(status(&server, "GET", "/v2/ep/job-take/w1", None).await, 401);
    assert_eq!(status(&server, "GET", "/v2/ep/job-take/w1", Some("secret")).await, 200);
    // Who may not call does not learn what is there.
    assert_eq!(status(&server, "POST", "/v2/other/run", None).await, 401);
}

#[tokio::test]
async fn workers_and_clients_can_be_told_apart() {
    let auth = Auth::check(|caller, token| match caller {
        Caller::Client { endpoint } => endpoint == "ep" && token == "client",
        Caller::Worker { endpoint } => endpoint == "ep" && token == "worker",
    });
    let server = Server::with(Clock::real(), Limits::default(), auth).await;
    assert_eq!(status(&server, "POST", "/v2/ep/run", Some("client")).await, 200);
    assert_eq!(status(&server, "POST", "/v2/ep/run", Some("worker")).await, 401);
    assert_eq!(status(&server, "GET", "/v2/ep/job-take/w", Some("client")).await, 401);
    assert_eq!(status(&server, "GET", "/v2/ep/job-take/w", Some("worker")).await, 200);
}
