//! Results that arrive item by item.

use flash_core::clock::TestClock;
use flash_core::wire::sse::{Decoder, Event};
use flash_tests::web::PRODUCERS;
use serde_json::{Value, json};
use std::time::Duration;

use super::client::{Web, request};

async fn events(web: &Web, path: &str) -> Vec<Event> {
    let mut connection = web.connect().await;
    connection.send(&request("GET", path, "connection: close\r\n", b"")).await;
    let answer = String::from_utf8(connection.until_closed().await).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    let head = head.to_ascii_lowercase();
    assert!(head.starts_with("http/1.1 200") && head.contains("content-type: text/event-stream"), "{head}");
    assert!(head.contains("cache-control: no-cache") && head.contains("x-request-id: "), "{head}");
    Decoder::new().push(&unchunked(body))
}

/// The content of a chunked body.
fn unchunked(mut body: &str) -> Vec<u8> {
    let mut content = Vec::new();
    while let Some((size, rest)) = body.split_once("\r\n") {
        let size = usize::from_str_radix(size, 16).unwrap();
        content.extend_from_slice(&rest.as_bytes()[..size]);
        body = &rest[size + 2..];
        if size == 0 {
            break;
        }
    }
    content
}

fn event(name: &str, data: &str) -> Event {
    Event { name: name.to_owned(), data: data.to_owned() }
}

#[tokio::test]
async fn items_are_events_and_the_end_is_told() {
    let web = Web::start().await;
    assert_eq!(
        events(&web, "/count/3").await,
        ["0", "1", "2"].map(|n| event("", n)).into_iter().chain([event("end", "null")]).collect::<Vec<_>>()
    );
    assert_eq!(events(&web, "/count/0").await, [event("end", "null")]);
    assert_eq!(events(&web, "/count/50000").await.len(), 50_001);
    web.stop().await;
}

#[tokio::test]
async fn an_error_in_the_stream_is_its_last_event_and_typed() {
    let web = Web::start().await;
    let found = events(&web, "/count/2?end=failure").await;
    assert_eq!(found[..2], [event("", "0"), event("", "1")]);
    let problem: Value = serde_json::from_str(&found[2].data).unwrap();
    assert_eq!((found.len(), found[2].name.as_str()), (3, "error"));
    assert_eq!(
        (&problem["code"], &problem["status"], &problem["data"]),
        (&json!("enough"), &json!(409), &json!({"at": 2}))
    );
    assert!(problem["request_id"].is_string());

    let found = events(&web, "/count/1?end=panic").await;
    assert_eq!(found[1].name, "error");
    assert!(found[1].data.contains("\"panic\"") && !found[1].data.contains("secret"), "{}", found[1].data);

    // Before the first item it is an answer like any other.
    let answer = web.get("/count/1?end=at%20once").await;
    assert_eq!((answer.status, &answer.json()["code"]), (409, &json!("enough")));
    web.stop().await;
}

#[tokio::test]
async fn a_client_that_asks_for_json_gets_an_array() {
    let web = Web::start().await;
    let ask = |path: &str| request("GET", path, "accept: application/json\r\n", b"");
    assert_eq!(web.raw(&ask("/count/3")).await.json(), json!([0, 1, 2]));
    let answer = web.raw(&ask("/count/3?end=failure")).await;
    assert_eq!((answer.status, &answer.json()["code"]), (409, &json!("enough")));
    web.stop().await;
}

#[tokio::test]
async fn a_client_that_goes_away_takes_the_producer_with_it() {
    let web = Web::start().await;
    let mut connection = web.connect().await;
    connection.send(&request("GET", "/endless/gone", "", b"")).await;
    connection.until("data: 1\n\n").await;
    let is_there = || PRODUCERS.lock().unwrap().contains("gone");
    assert!(is_there());
    drop(connection);
    while is_there() {
        tokio::task::yield_now().await;
    }
    web.stop().await;
}

#[tokio::test]
async fn a_quiet_stream_is_kept_alive() {
    let clock = TestClock::new();
    let web = Web::with_clock(&clock).await;
    let mut connection = web.connect().await;
    connection.send(&request("GET", "/endless/quiet", "", b"")).await;
    connection.until("data: 1\n\n").await;
    for _ in 0..3 {
        clock.advance(Duration::from_secs(15)).await;
    }
    let text = connection.until(": keep-alive\n\n").await;
    assert!(!text.contains("event: "), "{text}");
    drop(connection);
    web.running.abort();
}
