//! Who calls, under which name, and until when.

use flash_core::clock::TestClock;
use serde_json::{Value, json};

use super::client::{Web, request};
use crate::events::Events;

#[tokio::test]
async fn the_callers_token_and_headers_reach_the_function_and_no_log() {
    let web = Web::start().await;
    let headers = "authorization: bearer fake-token\r\nx-tenant: blue\r\nx-request-id: mine-1\r\n";
    let answer = web.raw(&request("GET", "/caller", headers, b"")).await;
    assert_eq!((answer.status, answer.json()), (200, json!(["fake-token", "blue", "mine-1"])));
    assert_eq!(answer.header("x-request-id"), Some("mine-1"));
    let answer = web.raw(&request("GET", "/caller", "authorization: Basic eHh4\r\n", b"")).await;
    assert_eq!(answer.json()[0], Value::Null);
    web.stop().await;
}

#[tokio::test]
async fn the_access_log_names_the_request_and_no_secret() {
    let (events, _listening) = Events::listen();
    let web = Web::start().await;
    let headers = "authorization: Bearer fake-token\r\ncookie: fake-cookie\r\nx-request-id: mine-1\r\n";
    let answer = web.raw(&request("GET", "/caller?key=fake-query", headers, b"")).await;
    let line = events.with("flash::access").into_iter().find(|line| line.contains("mine-1")).unwrap();
    for part in
        ["DEBUG flash::access", "request_id=\"mine-1\"", &format!("GET /caller {} ", answer.status), " ms"]
    {
        assert!(line.contains(part), "{part}: {line}");
    }
    web.stop().await;
    // Nor does any other line, at any level.
    let all = events.all();
    assert!(!all.iter().any(|line| line.contains("fake-")), "{all:?}");
}

#[tokio::test]
async fn every_answer_names_its_request() {
    let web = Web::start().await;
    let mut seen = std::collections::BTreeSet::new();
    for path in ["/ping", "/caller", "/nothing", "/measure", "/search", "/page", "/page/panic", "/count/1"] {
        let id = web.get(path).await.header("x-request-id").map(ToOwned::to_owned);
        assert!(seen.insert(id.unwrap_or_else(|| panic!("{path} has no id"))), "{path}");
    }
    // What cannot be printed is not taken over.
    for bad in ["a b".to_owned(), "x".repeat(129), "ä".to_owned()] {
        let answer = web.raw(&request("GET", "/caller", &format!("x-request-id: {bad}\r\n"), b"")).await;
        assert_ne!(answer.header("x-request-id"), Some(bad.as_str()));
    }
    web.stop().await;
}

#[tokio::test]
async fn a_callers_deadline_is_the_functions() {
    let clock = TestClock::new();
    let web = Web::with_clock(&clock).await;
    assert_eq!(web.get("/time-left").await.json(), Value::Null);
    let until = |millis: u64| format!("x-flash-deadline-unix-ms: {millis}\r\n");
    let now = clock.now().as_millis();
    let answer = web.raw(&request("GET", "/time-left", &until(now + 1500), b"")).await;
    assert_eq!(answer.json(), json!(1500));
    let answer = web.raw(&request("GET", "/time-left", &until(now), b"")).await;
    assert_eq!((answer.status, &answer.json()["code"]), (504, &json!("timeout")));
    // Nonsense is no deadline.
    let answer = web.raw(&request("GET", "/time-left", "x-flash-deadline-unix-ms: soon\r\n", b"")).await;
    assert_eq!((answer.status, answer.json()), (200, Value::Null));
    web.running.abort();
}
