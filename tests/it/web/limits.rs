//! Slow and endless clients.

use std::time::Duration;

use flash_core::clock::TestClock;
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

#[tokio::test]
async fn a_body_that_drips_is_no_faster_for_it() {
    let clock = TestClock::new();
    let web = Web::with_clock(&clock).await;
    let mut connection = web.connect().await;
    connection.send(b"POST /measure HTTP/1.1\r\nhost: x\r\ncontent-length: 1000\r\n\r\n").await;
    let dripping = async {
        loop {
            connection.send(b" ").await;
            tokio::task::yield_now().await;
            if let Ok(size) = connection.stream.try_read(&mut [0; 32])
                && size > 0
            {
                return size;
            }
        }
    };
    passing(&clock, Duration::from_secs(1), dripping).await;
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

#[tokio::test]
async fn a_body_over_the_limit_is_413_whether_announced_or_not() {
    let web = Web::start().await;
    let body = vec![b' '; 30_000_001];
    let answer = web.raw(&request("POST", "/measure", "", &body)).await;
    assert_eq!((answer.status, &answer.json()["code"]), (413, &json!("payload_too_large")));
    assert!(answer.json()["detail"].as_str().unwrap().contains("30000001 bytes"), "{}", answer.text());

    let mut chunked = b"POST /measure HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n".to_vec();
    for chunk in body.chunks(1_000_000) {
        chunked.extend_from_slice(format!("{:x}\r\n", chunk.len()).as_bytes());
        chunked.extend_from_slice(chunk);
        chunked.extend_from_slice(b"\r\n");
    }
    chunked.extend_from_slice(b"0\r\n\r\n");
    let answer = web.raw(&chunked).await;
    assert!(
        answer.json()["detail"].as_str().unwrap().contains("more than 30000000 bytes"),
        "{}",
        answer.text()
    );

    // A client that asks before it sends is told at once.
    let ask =
        b"POST /measure HTTP/1.1\r\nhost: x\r\nexpect: 100-continue\r\ncontent-length: 40000000\r\n\r\n";
    assert_eq!(web.raw(ask).await.status, 413);
    web.stop().await;
}
