//! More requests than a worker may run.

use std::sync::atomic::Ordering;

use flash_tests::barrier::Barrier;
use flash_tests::web::{BLOCKING, HEARD};
use serde_json::json;

use super::client::{Web, request};

#[tokio::test]
async fn above_the_bound_a_request_is_told_when_to_come_back() {
    let web = Web::start().await;
    let hold = request("POST", "/hold", "content-type: application/json\r\n", br#"{"barrier": "overload"}"#);
    let mut held = Vec::new();
    for _ in 0..2 {
        let mut connection = web.connect().await;
        connection.send(&hold).await;
        held.push(connection);
    }
    let barrier = Barrier::named("overload");
    barrier.has(2).await;
    let answer = web.raw(&hold).await;
    assert_eq!((answer.status, &answer.json()["code"]), (503, &json!("overloaded")));
    assert_eq!((answer.header("retry-after"), &answer.json()["retryable"]), (Some("1"), &json!(true)));
    // A large body is no reason to break the connection.
    let large = request("POST", "/measure", "content-type: application/json\r\n", &vec![b' '; 5_000_000]);
    assert_eq!(web.raw(&large).await.status, 503);
    // The worker itself is well, and its pages do not count.
    assert_eq!((web.get("/ping").await.status, web.get("/page").await.status), (200, 200));
    barrier.open();
    for mut connection in held {
        assert_eq!(connection.answer().await.json(), json!("overload"));
    }
    assert_eq!(web.raw(&hold).await.status, 200);
    web.stop().await;
}

#[tokio::test]
async fn a_blocking_function_hears_that_its_client_is_gone_and_keeps_its_place() {
    let web = Web::start().await;
    let mut connection = web.connect().await;
    connection.send(&request("POST", "/block", "", b"")).await;
    while BLOCKING.load(Ordering::SeqCst) == 0 {
        tokio::task::yield_now().await;
    }
    drop(connection);
    while HEARD.load(Ordering::SeqCst) == 0 {
        tokio::task::yield_now().await;
    }
    web.stop().await;
}
