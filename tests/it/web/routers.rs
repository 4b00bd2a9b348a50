//! Routers of the user's own beside declared functions.

use std::process::Command;

use flash::testing::LocalApp;
use serde_json::Value;
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;

use super::client::{Web, request};

/// Says something over a WebSocket, and hears it back.
async fn echo(address: &str, path: &str) {
    use futures_util::{SinkExt, StreamExt};
    let stream = TcpStream::connect(address).await.unwrap();
    let (mut socket, _) =
        tokio_tungstenite::client_async(format!("ws://{address}{path}"), stream).await.unwrap();
    for text in ["hello", "and again"] {
        socket.send(Message::text(text)).await.unwrap();
        assert_eq!(socket.next().await.unwrap().unwrap(), Message::text(text));
    }
    socket.close(None).await.unwrap();
}

#[tokio::test]
async fn a_router_is_served_beside_the_functions() {
    let web = Web::start().await;
    assert_eq!(web.get("/page").await.text(), "a page");
    // The same path under another verb.
    assert_eq!(web.raw(&request("POST", "/search", "", b"")).await.text(), "another verb of the same path");
    assert_eq!(web.get("/search?size=small&ids=1").await.status, 200);
    echo(&web.address.to_string(), "/socket").await;
    web.stop().await;
}

#[tokio::test]
async fn locally_it_stands_below_the_endpoints_name() {
    let app = LocalApp::start().await.unwrap();
    let address = app.url().replace("http://", "");
    echo(&address, "/web/socket").await;
    let request =
        flash::platform::HttpClient::new().request(reqwest::Method::GET, &format!("{}/web/page", app.url()));
    assert_eq!(request.unwrap().send().await.unwrap().text().await.unwrap(), "a page");
    app.stop().await.unwrap();
}

#[tokio::test]
async fn its_handlers_call_functions_and_may_panic() {
    let web = Web::start().await;
    assert_eq!(web.get("/page/whoami").await.text(), std::process::id().to_string());
    let answer = web.get("/page/panic").await;
    assert_eq!((answer.status, &answer.json()["code"]), (500, &Value::from("panic")));
    assert!(!answer.text().contains("secret"), "{}", answer.text());
    web.stop().await;
}

#[test]
fn what_it_calls_is_in_the_manifest() {
    let _ = &flash_tests::web::WEB;
    let described = flash::Registry::linked().unwrap().describe("tests");
    let web = &described.manifest.resources["web"];
    assert!(web.makes_remote_calls);
    assert_eq!(web.remote_calls.iter().map(String::as_str).collect::<Vec<_>>(), ["mixed"]);
}

#[test]
fn routes_that_somebody_has_already_are_named_at_the_start() {
    for environment in [
        &[("FLASH_PORT", "0")][..],
        &[("FLASH_ENDPOINT_TYPE", "lb"), ("PORT", "0"), ("FLASH_HOST", "127.0.0.1")],
    ] {
        let output = Command::new(env!("CARGO_BIN_EXE_fixture-routes"))
            .env_clear()
            .envs(environment.iter().copied())
            .output()
            .unwrap();
        let text = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(5), "{text}");
        let line = |parts: &[&str]| {
            text.lines().any(|line| parts.iter().all(|part| line.contains(part)))
                || panic!("{parts:?} are in no line of: {text}")
        };
        for parts in [
            &["router `same_verb` at", "route `POST /items`", "function `add_item` at", "fixture_routes.rs:"]
                [..],
            &["router `same_shape` at", "route `GET /items/{id}`", "function `item` at"],
            &["router `health` at", "`/ping`, which the worker answers itself"],
            &["router `health` at", "`/execute`, which the worker answers itself"],
            &["router `other_verb_too`", "beside the others", "GET /items"],
            &["router `broken` at", "panicked: no database"],
        ] {
            line(parts);
        }
        assert!(!text.contains("thread 'main' panicked") && !text.contains("RUST_BACKTRACE"), "{text}");
    }
}
