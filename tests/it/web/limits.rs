//! Slow and endless clients.

use std::time::Duration;

use flash_core::boot::Boot;
use flash_core::clock::{Clock, TestClock};
use flash_tests::barrier::Barrier;
use serde_json::json;

use super::client::{Web, request};

/// Lets time pass in such steps until the server has closed the connection or answered.
async fn passing<T>(clock: &TestClock, step: Duration, until: impl Future<Output = T>) -> T {
    let passing = async {
        loop {
            clock.advance(step).await;
            tokio::task::yield_now().await;
        }
    };
    tokio::select! {
        done = until => done,
        () = passing => unreachable!(),
    }
}

#[tokio::test]
async fn a_body_that_does_not_come_is_408() {
    let clock = TestClock::new();
    let web = Web::with_clock(&clock).await;
    let mut connection = web.connect().await;
    connection.send(b"POST /measure HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\n\r\n{\"text\"").await;
    let answer = passing(&clock, Duration::from_secs(5), connection.answer()).await;
    assert_eq!((answer.status, &answer.json()["code"]), (408, &json!("request_timeout")));
    assert!(answer.json()["detail"].as_str().unwrap().contains("7 bytes so far"), "{}", answer.text());
    // Nobody waits for the rest.
    connection.until_closed().await;
    web.running.abort();
}

/// Sends a body a byte at a time, each after a second, until something comes back.
async fn dripping(path: &str) {
    let clock = TestClock::new();
    let web = Web::with_clock(&clock).await;
    let mut connection = web.connect().await;
    let head = format!("POST {path} HTTP/1.1\r\nhost: x\r\ncontent-length: 1000\r\n\r\n");
    connection.send(head.as_bytes()).await;
    let began = clock.now();
    let dripping = async {
        loop {
            connection.send(b" ").await;
            tokio::task::yield_now().await;
            if connection.has_more() {
                return;
            }
        }
    };
    passing(&clock, Duration::from_secs(1), dripping).await;
    let answer = connection.answer().await;
    assert_eq!((answer.status, &answer.json()["code"]), (408, &json!("request_timeout")), "{path}");
    assert_eq!(answer.json()["request_id"].as_str(), answer.header("x-request-id"), "{path}");
    let took = clock.now().since(began);
    assert!(took >= Duration::from_secs(20), "{path}: {took:?}");
    // Nobody waits for the rest.
    connection.until_closed().await;
    web.running.abort();
}

#[tokio::test]
async fn a_body_that_drips_is_no_faster_for_it() {
    dripping("/measure").await;
}

#[tokio::test]
async fn a_body_that_drips_to_a_users_router_is_cut_off_as_well() {
    dripping("/page/length").await;
}

#[tokio::test]
async fn a_handler_may_take_its_time_with_a_body_that_is_there() {
    let clock = TestClock::new();
    let web = Web::with_clock(&clock).await;
    let mut connection = web.connect().await;
    connection.send(&request("POST", "/page/late", "", &vec![b' '; 1_500_000])).await;
    let barrier = Barrier::named("late");
    barrier.has(1).await;
    clock.advance(Duration::from_secs(50)).await;
    barrier.open();
    assert_eq!(connection.answer().await.text(), "1500000");
    web.running.abort();
}

#[tokio::test]
async fn a_head_that_does_not_come_closes_the_connection() {
    let clock = TestClock::new();
    let web = Web::with_clock(&clock).await;
    let mut connection = web.connect().await;
    connection.send(b"GET /ping HTTP/1.1\r\nhost: x\r\nx-slow").await;
    let got = passing(&clock, Duration::from_secs(5), connection.until_closed()).await;
    assert_eq!(got, b"");
    web.running.abort();
}

#[tokio::test]
async fn a_connection_without_requests_is_kept_for_ten_minutes() {
    let clock = TestClock::new();
    let web = Web::with_clock(&clock).await;
    let mut connection = web.connect().await;
    connection.send(&request("GET", "/ping", "", b"")).await;
    assert_eq!(connection.answer().await.status, 200);
    let began = clock.now();
    passing(&clock, Duration::from_secs(10), connection.until_closed()).await;
    let kept = clock.now().since(began);
    assert!(kept >= Duration::from_secs(600), "{kept:?}");
    web.running.abort();
}

#[tokio::test]
async fn a_client_that_reads_nothing_loses_its_connection() {
    let clock = TestClock::new();
    let web = Web::with_clock(&clock).await;
    let mut connection = web.connect().await;
    connection.send(&request("GET", "/large?bytes=29000000", "", b"")).await;
    // The head comes, so the answer is on its way.
    connection.stream.readable().await.unwrap();
    // A client that would read got all of it; this one looks away until its time is over.
    for _ in 0..200 {
        clock.advance(Duration::from_secs(1)).await;
        tokio::task::yield_now().await;
    }
    let got = connection.until_closed().await;
    assert!(got.len() < 29_000_000, "{}", got.len());
    web.running.abort();
}

/// A body in chunks, so that nobody knows its length.
fn chunked(path: &str, body: &[u8]) -> Vec<u8> {
    let mut request =
        format!("POST {path} HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n").into_bytes();
    for chunk in body.chunks(1_000_000) {
        request.extend_from_slice(format!("{:x}\r\n", chunk.len()).as_bytes());
        request.extend_from_slice(chunk);
        request.extend_from_slice(b"\r\n");
    }
    request.extend_from_slice(b"0\r\n\r\n");
    request
}

#[tokio::test]
async fn a_body_over_the_limit_is_413_whether_announced_or_not() {
    let web = Web::start().await;
    let body = vec![b' '; 30_000_001];
    for path in ["/measure", "/page/length"] {
        let answer = web.raw(&request("POST", path, "", &body)).await;
        assert_eq!((answer.status, &answer.json()["code"]), (413, &json!("payload_too_large")), "{path}");
        assert!(answer.json()["detail"].as_str().unwrap().contains("30000001 bytes"), "{}", answer.text());
    }
    for path in ["/measure", "/page/length"] {
        let answer = web.raw(&chunked(path, &body)).await;
        assert_eq!((answer.status, &answer.json()["code"]), (413, &json!("payload_too_large")), "{path}");
        let detail = answer.json()["detail"].as_str().unwrap().to_owned();
        assert!(detail.contains("more than 30000000 bytes"), "{path}: {detail}");
    }
    // And what is within the limit is not cut off.
    assert_eq!(web.raw(&chunked("/page/length", &body[1..])).await.text(), "30000000");

    // A client that asks before it sends is told at once.
    for path in ["/measure", "/page/length"] {
        let ask = format!(
            "POST {path} HTTP/1.1\r\nhost: x\r\nexpect: 100-continue\r\ncontent-length: 40000000\r\n\r\n"
        );
        assert_eq!(web.raw(ask.as_bytes()).await.status, 413, "{path}");
    }
    web.stop().await;
}

#[tokio::test]
async fn bodies_in_flight_have_a_bound_together() {
    let boot = || Boot::from_lookup(|name| (name == "FLASH_BODY_MEMORY_MB").then(|| "1".to_owned())).unwrap();
    for (first, second) in [("/measure", "/page/length"), ("/page/length", "/measure")] {
        let web = Web::start_with(Clock::real(), boot()).await;
        let half = format!(r#"{{"text":"{}"}}"#, "a".repeat(600_000));
        let post = |path: &str| request("POST", path, "content-type: application/json\r\n", half.as_bytes());
        // One that is on its way counts with all that it announced.
        let mut held = web.connect().await;
        let whole = post(first);
        let (begun, rest) = whole.split_at(1_000);
        held.send(begun).await;
        let refused = loop {
            let answer = web.raw(&post(second)).await;
            if answer.status != 200 {
                break answer;
            }
        };
        assert_eq!((refused.status, &refused.json()["code"]), (503, &json!("overloaded")), "{second}");
        assert_eq!((refused.header("retry-after"), &refused.json()["retryable"]), (Some("1"), &json!(true)));
        assert_eq!(refused.json()["request_id"].as_str(), refused.header("x-request-id"));
        let detail = refused.json()["detail"].as_str().unwrap().to_owned();
        assert!(
            detail.contains("limit of 1000000 bytes") && detail.contains("FLASH_BODY_MEMORY_MB"),
            "{detail}"
        );
        // One whose length nobody knows is refused when it has grown too large.
        let answer = web.raw(&chunked("/measure", half.as_bytes())).await;
        assert_eq!((answer.status, &answer.json()["code"]), (503, &json!("overloaded")));
        // A small one has room, and what would never have is too large.
        assert_eq!(web.post("/measure", r#"{"text": "a"}"#).await.status, 200);
        let answer = web.raw(&request("POST", second, "", &vec![b' '; 1_000_001])).await;
        assert_eq!((answer.status, &answer.json()["code"]), (413, &json!("payload_too_large")));
        // The room comes back.
        held.send(rest).await;
        assert_eq!(held.answer().await.status, 200, "{first}");
        assert_eq!(web.raw(&post(second)).await.status, 200);
        web.stop().await;
    }
    for bad in ["0", "-1", "1.5", "much"] {
        let found = Boot::from_lookup(|name| (name == "FLASH_BODY_MEMORY_MB").then(|| bad.to_owned()));
        assert!(found.unwrap_err().to_string().contains("FLASH_BODY_MEMORY_MB"), "{bad}");
    }
}

/// A handler has in its memory what it has read.
#[tokio::test]
async fn a_body_counts_until_its_answer_also_where_a_users_router_has_read_it() {
    let boot = Boot::from_lookup(|name| (name == "FLASH_BODY_MEMORY_MB").then(|| "1".to_owned())).unwrap();
    let web = Web::start_with(Clock::real(), boot).await;
    let body = vec![b' '; 600_000];
    let mut held = web.connect().await;
    held.send(&request("POST", "/page/kept", "", &body)).await;
    let barrier = Barrier::named("kept");
    barrier.has(1).await;
    let answer = web.raw(&request("POST", "/page/length", "", &body)).await;
    assert_eq!((answer.status, &answer.json()["code"]), (503, &json!("overloaded")));
    barrier.open();
    assert_eq!(held.answer().await.text(), "600000");
    assert_eq!(web.raw(&request("POST", "/page/length", "", &body)).await.text(), "600000");
    web.stop().await;
}
