//! HTTP endpoints: who gets a request, and what comes of it.

use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::http::Request;
use flash_core::clock::TestClock;
use flash_local::{Limits, LocalPlatform, Signal, WorkerState};
use http_body_util::BodyExt;
use hyper_util::rt::TokioIo;
use serde_json::json;

use crate::scripted::Role;
use crate::support::{alive, get, line, ok, platform, post, quick, ready, send};

#[tokio::test]
async fn a_request_goes_to_a_worker_that_is_healthy_and_to_no_other() {
    let platform = platform().await;
    platform.declare("api", flash_local::Kind::LoadBalanced).await.unwrap();
    let url = platform.endpoint_url("api").unwrap();
    assert_eq!(url, format!("{}/lb/api", platform.base_url()));
    // It waits for a worker, which says twice that it is not ready.
    let target = format!("{url}/show/a%2Fb?q=1");
    let (answer, _) = tokio::join!(get(&target), platform.add_endpoint(Role::Http.spec("api")));
    let worker = ready(&platform, 1).await.remove(0);
    assert_eq!(answer.headers["x-runpod-worker-id"], worker.id.as_str());
    assert_eq!(ok(answer)["target"], "/show/a%2Fb?q=1");
    let lines: Vec<_> = platform.logs(&worker.id).unwrap().into_iter().map(|line| line.text).collect();
    let pings = lines.iter().take_while(|line| !line.starts_with("asked")).filter(|line| *line == "ping");
    assert!(pings.count() >= 3, "the request came after the third ping: {lines:?}");
}

#[tokio::test]
async fn without_a_worker_the_request_is_given_up_after_two_minutes() {
    let test = TestClock::new();
    let platform = LocalPlatform::builder().limits(quick()).clock(test.clock()).start().await.unwrap();
    platform.add_endpoint(Role::Sick.spec("api")).await.unwrap();
    let worker = platform.until_workers(|all| all.len() == 1).await.remove(0);
    line(&platform, &worker, "ping").await;
    let url = platform.endpoint_url("api").unwrap();
    let waiting = tokio::spawn(async move { get(&format!("{url}/show/x")).await });
    test.sleeping_for(Duration::from_secs(120)).await;
    test.advance(Duration::from_secs(119)).await;
    assert!(!waiting.is_finished());
    test.advance(Duration::from_secs(1)).await;
    let answer = waiting.await.unwrap();
    assert_eq!((answer.status, answer.body), (503, json!({"error": "no workers available"})));
    assert_eq!(platform.workers()[0].state, WorkerState::Starting);
}

#[tokio::test]
async fn a_worker_that_dies_over_a_request_gives_502_and_is_replaced() {
    let platform = platform().await;
    platform.add_endpoint(Role::Http.spec("api")).await.unwrap();
    let url = platform.endpoint_url("api").unwrap();
    let first = ready(&platform, 1).await.remove(0);
    let answer = post(&format!("{url}/die"), "{}").await;
    let error = answer.body["error"].as_str().unwrap().to_owned();
    assert_eq!((answer.status, error), (502, format!("worker {} ended or broke the connection", first.id)));
    // The next one waits for the next worker.
    let answer = get(&format!("{url}/show/x")).await;
    assert_ne!(answer.headers["x-runpod-worker-id"], first.id.as_str());
    ok(answer);
}

#[tokio::test]
async fn killing_a_worker_over_a_request_gives_502_too() {
    let platform = platform().await;
    platform.add_endpoint(Role::Http.spec("api")).await.unwrap();
    let url = platform.endpoint_url("api").unwrap();
    let worker = ready(&platform, 1).await.remove(0);
    let hanging = tokio::spawn(async move { get(&format!("{url}/hang")).await });
    line(&platform, &worker, "hanging").await;
    platform.kill_worker(&worker.id, Signal::Kill).unwrap();
    assert_eq!(hanging.await.unwrap().status, 502);
}

#[tokio::test]
async fn a_worker_that_never_answers_is_given_up_on_time() {
    let test = TestClock::new();
    let platform = LocalPlatform::builder().limits(quick()).clock(test.clock()).start().await.unwrap();
    platform.add_endpoint(Role::Http.spec("api")).await.unwrap();
    ready(&platform, 1).await;
    let url = platform.endpoint_url("api").unwrap();
    let hanging = tokio::spawn(async move { get(&format!("{url}/hang")).await });
    test.sleeping_for(Duration::from_secs(330)).await;
    test.advance(Duration::from_secs(330)).await;
    let answer = hanging.await.unwrap();
    assert!(
        answer.status == 504 && answer.body["error"].as_str().unwrap().contains("330 s"),
        "{}",
        answer.body
    );
}

#[tokio::test]
async fn requests_are_spread_over_the_workers() {
    let platform = platform().await;
    platform.add_endpoint(Role::Http.spec("api").workers(2)).await.unwrap();
    let url = platform.endpoint_url("api").unwrap();
    ready(&platform, 2).await;
    let mut seen = std::collections::BTreeMap::new();
    for _ in 0..10 {
        let answer = get(&format!("{url}/show/x")).await;
        *seen.entry(answer.headers["x-runpod-worker-id"].to_str().unwrap().to_owned()).or_insert(0) += 1;
    }
    assert_eq!(seen.values().copied().collect::<Vec<_>>(), [5, 5]);
}

#[tokio::test]
async fn a_stopped_worker_gets_no_more_requests() {
    let platform = platform().await;
    platform.add_endpoint(Role::Http.spec("api").workers(2)).await.unwrap();
    let url = platform.endpoint_url("api").unwrap();
    let workers = ready(&platform, 2).await;
    platform.stop_worker(&workers[0].id).await.unwrap();
    for _ in 0..4 {
        let answer = get(&format!("{url}/show/x")).await;
        assert_eq!(answer.headers["x-runpod-worker-id"], workers[1].id.as_str());
    }
    assert_eq!(alive(&platform.workers()).len(), 1);
}

#[tokio::test]
async fn bodies_stream_both_ways() {
    let platform = platform().await;
    platform.add_endpoint(Role::Http.spec("api")).await.unwrap();
    ready(&platform, 1).await;
    let address = platform.base_url().strip_prefix("http://").unwrap().to_owned();
    let stream = tokio::net::TcpStream::connect(&address).await.unwrap();
    let (mut connection, driver) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.unwrap();
    tokio::spawn(driver);
    let (mut sender, body) = http_body_util::channel::Channel::<Bytes>::new(1);
    let request = Request::post("/lb/api/echo").header("host", address).body(body).unwrap();
    let mut answer = connection.send_request(request).await.unwrap();
    // Each piece comes back before the next one is sent, so nobody on the way waits for the end.
    for piece in ["one", "two", "three"] {
        sender.send_data(Bytes::from(piece)).await.unwrap();
        let frame = answer.body_mut().frame().await.unwrap().unwrap();
        assert_eq!(frame.into_data().unwrap(), piece);
    }
    drop(sender);
    assert!(answer.body_mut().frame().await.is_none());
}

#[tokio::test]
async fn headers_go_through_but_not_the_callers_key() {
    let platform = platform().await;
    platform.add_endpoint(Role::Http.spec("api")).await.unwrap();
    let url = platform.endpoint_url("api").unwrap();
    let request = Request::get(format!("{url}/show/x"))
        .header("authorization", "Bearer secret")
        .header("traceparent", "00-1-2-03")
        .header("connection", "x-hop")
        .header("x-hop", "1");
    let headers = ok(send(request.body(Body::empty()).unwrap()).await)["headers"].clone();
    assert_eq!(headers["traceparent"], "00-1-2-03");
    assert!(headers.get("authorization").is_none() && headers.get("x-hop").is_none(), "{headers}");
}

#[tokio::test]
async fn what_can_not_be_passed_on_is_refused_clearly() {
    let limits = Limits { http_body: 1_000, ..quick() };
    let platform = LocalPlatform::builder().limits(limits).start().await.unwrap();
    platform.add_endpoint(Role::Http.spec("api")).await.unwrap();
    platform.add_endpoint(Role::Echo.spec("jobs").workers(0)).await.unwrap();
    let base = platform.base_url();
    let answer = get(&format!("{base}/lb/nobody/x")).await;
    assert_eq!((answer.status, answer.body), (404, json!({"error": "no endpoint \"nobody\" here"})));
    let answer = get(&format!("{base}/lb/jobs/x")).await;
    assert_eq!((answer.status, answer.body), (400, json!({"error": "not allowed for QB API"})));
    let answer = post(&format!("{base}/lb/api/echo"), vec![b'x'; 3_000_000]).await;
    let error = json!({"error": "body of 3000000 bytes is over the limit of 1000 bytes"});
    assert_eq!((answer.status, answer.body), (413, error));
    let answer = post(&format!("{base}/v2/api/run"), r#"{"input":1}"#).await;
    assert_eq!(answer.status, 404, "an HTTP endpoint has no queue");
}

#[tokio::test]
async fn a_worker_that_never_listens_is_replaced() {
    let limits = Limits { http_start: Duration::from_millis(50), ..quick() };
    let platform = LocalPlatform::builder().limits(limits).start().await.unwrap();
    // It listens on another port than it was told to.
    let spec = Role::Http.spec("api").env("FLASH_HOST", "127.0.0.99");
    platform.add_endpoint(spec).await.unwrap();
    let killed =
        |all: &[flash_local::WorkerInfo]| all.iter().filter(|one| !one.state.is_alive()).count() >= 2;
    platform.until_workers(killed).await;
}

#[tokio::test]
async fn a_connection_becomes_a_websocket_and_stays_with_its_worker() {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let platform = platform().await;
    platform.add_endpoint(Role::Http.spec("api").workers(2)).await.unwrap();
    ready(&platform, 2).await;
    let address = platform.base_url().strip_prefix("http://").unwrap().to_owned();
    let mut stream = tokio::net::TcpStream::connect(&address).await.unwrap();
    let request = format!(
        "GET /lb/api/upgrade HTTP/1.1\r\nhost: {address}\r\nconnection: keep-alive, Upgrade\r\nupgrade: websocket\r\nsec-websocket-key: x\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.unwrap());
    }
    let head = String::from_utf8(head).unwrap().to_lowercase();
    assert!(head.starts_with("http/1.1 101") && head.contains("upgrade: websocket"), "{head}");
    assert!(head.contains("x-runpod-worker-id: ") && head.contains("sec-websocket-accept: y"), "{head}");
    for piece in [b"one".as_slice(), b"two"] {
        stream.write_all(piece).await.unwrap();
        let mut back = vec![0; piece.len()];
        stream.read_exact(&mut back).await.unwrap();
        assert_eq!(back, piece);
    }
    // Another request still finds its way while the socket is open.
    ok(get(&format!("http://{address}/lb/api/show/x")).await);
}

#[tokio::test]
async fn a_caller_may_want_the_worker_that_it_had() {
    let platform = platform().await;
    platform.add_endpoint(Role::Http.spec("api").workers(2)).await.unwrap();
    let workers = ready(&platform, 2).await;
    let url = format!("{}/show/x", platform.endpoint_url("api").unwrap());
    let with = async |value: &str| {
        let request = Request::get(&url).header("x-runpod-worker-id", value).body(Body::empty());
        send(request.unwrap()).await
    };
    let wanted = workers[1].id.as_str();
    for _ in 0..4 {
        assert_eq!(with(wanted).await.headers["x-runpod-worker-id"], wanted);
        assert_eq!(with(&format!("strict {wanted}")).await.headers["x-runpod-worker-id"], wanted);
    }
    platform.stop_worker(&workers[1].id).await.unwrap();
    let other = with(wanted).await;
    assert_eq!(
        (other.status, &other.headers["x-runpod-worker-id"]),
        (200, &workers[0].id.as_str().parse().unwrap())
    );
    let gone = with(&format!("strict {wanted}")).await;
    assert_eq!((gone.status, gone.body), (404, json!({"error": "affinity_worker_gone"})));
}
