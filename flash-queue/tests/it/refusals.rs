//! Bad requests get a clear text, and lose nothing.

use axum::body::Body;
use flash_core::clock::Clock;
use flash_queue::Limits;
use flash_queue::routes::Auth;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::support::Server;

#[tokio::test]
async fn the_wrong_shape_is_shown_the_right_one() {
    let server = Server::start().await;
    for path in ["/v2/ep/run", "/v2/ep/runsync", "/inference/run", "/inference/runsync"] {
        let text = server.post(path, r#"{"x":1}"#).await.refused(400);
        assert!(text.contains(r#"{"input": {"x": 1}}"#), "{path}: {text}");
        let text = server.post(path, r#"{"input": oops}"#).await.refused(400);
        assert!(text.contains("not JSON") && text.contains("line 1 column 11"), "{path}: {text}");
        let text = server.post(path, r#"{"input":1,"policy":{"ttl":5}}"#).await.refused(400);
        assert_eq!(text, "policy.ttl of 5 ms is out of bounds: 10000 to 604800000 ms are possible");
    }
    let text = server.post("/v2/ep/runsync?wait=long", r#"{"input":1}"#).await.refused(400);
    assert!(text.contains("milliseconds"), "{text}");
    assert_eq!(server.queue.health().await.unwrap().jobs.in_queue, 0);
}

#[tokio::test]
async fn the_unknown_is_not_found() {
    let server = Server::start().await;
    let text = server.post("/v2/other/run", r#"{"input":1}"#).await.refused(404);
    assert_eq!(text, r#"no endpoint "other" here"#);
    for (method, path) in [("GET", "status"), ("GET", "stream"), ("POST", "cancel"), ("POST", "retry")] {
        let request = server.request(method, &format!("/v2/ep/{path}/nope-u1")).body(Body::empty());
        let text = server.send(request.unwrap()).await.refused(404);
        assert!(text.starts_with(r#"no job "nope-u1""#), "{text}");
    }
    server.post("/v2/ep/job-done/w/nope-u1", r#"{"output":1}"#).await.refused(404);
    assert_eq!(server.get("/v2/ep/nothing").await.refused(404), "no route GET /v2/ep/nothing");
    let text = server.get("/v2/ep/run").await.refused(405);
    assert_eq!(text, "GET is not allowed for /v2/ep/run");
    server.get("/inference/run").await.refused(405);
}

#[tokio::test]
async fn a_body_over_its_limit_is_measured() {
    let limits = Limits { run_body: 1_000, runsync_body: 2_000, ..Limits::default() };
    let server = Server::with(Clock::real(), limits, Auth::open()).await;
    let body = |bytes: usize| format!(r#"{{"input":"{}"}}"#, "x".repeat(bytes - 12));
    let text = server.post("/v2/ep/run", body(1_001)).await.refused(413);
    assert_eq!(text, "body of 1001 bytes is over the limit of 1000 bytes of /run");
    let text = server.post("/v2/ep/runsync", body(20_000_000)).await.refused(413);
    assert_eq!(text, "body of 20000000 bytes is over the limit of 2000 bytes of /runsync");
    server.post("/v2/ep/run", body(1_000)).await.ok();
    assert_eq!(server.queue.health().await.unwrap().jobs.in_queue, 1);
}

#[tokio::test]
async fn a_piece_of_a_stream_over_its_limit_is_refused_and_the_job_goes_on() {
    let server = Server::start().await;
    let id = server.queue.submit(crate::support::submission("1")).await.unwrap();
    server.get("/v2/ep/job-take/w").await.ok();
    let path = format!("/v2/ep/job-stream/w/{id}?isStream=false");
    let piece = |bytes: usize| format!(r#"{{"output":"{}"}}"#, "x".repeat(bytes - 2));
    let text = server.post(&path, piece(1_100_000)).await.refused(413);
    assert!(text.contains("over the limit of 1000000 bytes of job-stream"), "{text}");
    server.post(&path, piece(1_000_000)).await.ok();
    server.post(&format!("/v2/ep/job-done/w/{id}?isStream=true"), r#"{"output":[]}"#).await.ok();
    let streamed = server.get(&format!("/v2/ep/stream/{id}")).await.ok();
    assert_eq!(streamed["status"], "COMPLETED");
    assert_eq!(streamed["stream"][0]["output"].as_str().map(str::len), Some(999_998));
}

#[tokio::test]
async fn a_body_without_length_is_measured_too() {
    let limits = Limits { run_body: 100, ..Limits::default() };
    let server = Server::with(Clock::real(), limits, Auth::open()).await;
    for (size, expected) in
        [(90, "200 OK"), (150, "body of 150 bytes is over the limit of 100 bytes of /run")]
    {
        let mut connection = tokio::net::TcpStream::connect(server.address).await.unwrap();
        let head =
            "POST /v2/ep/run HTTP/1.1\r\nhost: x\r\nconnection: close\r\ntransfer-encoding: chunked\r\n\r\n";
        connection.write_all(head.as_bytes()).await.unwrap();
        let body = format!(r#"{{"input":"{}"}}"#, "x".repeat(size - 12));
        for part in body.as_bytes().chunks(30) {
            let head = format!("{:x}\r\n", part.len());
            connection.write_all(&[head.as_bytes(), part, b"\r\n"].concat()).await.unwrap();
            connection.flush().await.unwrap();
        }
        connection.write_all(b"0\r\n\r\n").await.unwrap();
        let mut answer = String::new();
        connection.read_to_string(&mut answer).await.unwrap();
        assert!(answer.contains(expected), "{answer}");
    }
}
