//! Every question that a deployment asks a platform, against every way in which an answer can fail.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use flash_core::Secret;
use flash_platform::control::{
    ApiKey, Backoff, ControlError, EndpointInput, KeySource, LiveEndpoint, Pending, Platform, RunPod, Urls,
};
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

/// How a server fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    /// It takes the request and says nothing.
    Silent,
    /// It ends the connection before it says anything.
    Gone,
    /// It ends the connection in the middle of its answer.
    Cut,
    /// It answers with this status, and these headers.
    Status(u16, &'static str),
    /// What it answers is no JSON.
    Nonsense,
    /// It answers JSON that means nothing.
    Strange,
}

/// A server that always fails like this, and how many requests it has seen.
async fn failing(way: Way) -> (String, Arc<AtomicUsize>) {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    let key = format!("bearer {}", key_of(&base));
    let count = Arc::new(AtomicUsize::new(0));
    let seen = count.clone();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let (seen, key) = (seen.clone(), key.clone());
            tokio::spawn(async move {
                // The requests here are small and come in one piece or two.
                let mut head = Vec::new();
                while !is_whole(&head) {
                    let mut part = [0; 16_384];
                    match stream.read(&mut part).await {
                        Ok(0) | Err(_) => return,
                        Ok(length) => head.extend_from_slice(&part[..length]),
                    }
                }
                // Something else on this machine may look for what was at this port before.
                if !String::from_utf8_lossy(&head).to_lowercase().contains(&key) {
                    return;
                }
                seen.fetch_add(1, Ordering::Relaxed);
                let answer = match way {
                    Way::Silent => return std::future::pending().await,
                    Way::Gone => return,
                    Way::Cut => "HTTP/1.1 200 OK\r\ncontent-length: 4000\r\n\r\n{\"data\": {".to_owned(),
                    Way::Status(status, headers) => {
                        let body =
                            json!({"title": "trouble", "status": status, "detail": "trouble"}).to_string();
                        format!(
                            "HTTP/1.1 {status} X\r\nconnection: close\r\n{headers}content-length: {}\r\n\r\n{body}",
                            body.len()
                        )
                    }
                    Way::Nonsense => {
                        "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 6\r\n\r\n<html>".to_owned()
                    }
                    Way::Strange => {
                        "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 7\r\n\r\n[1, {}]".to_owned()
                    }
                };
                let _ = stream.write_all(answer.as_bytes()).await;
            });
        }
    });
    (base, count)
}

/// Whether head and body of a request are there.
fn is_whole(request: &[u8]) -> bool {
    let text = String::from_utf8_lossy(request).to_lowercase();
    let Some((head, body)) = text.split_once("\r\n\r\n") else { return false };
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
    length.is_none_or(|length| body.len() >= length.trim().parse::<usize>().unwrap())
}

/// A key that nobody else has.
fn key_of(base: &str) -> String {
    format!("fake-key-for-{}", base.rsplit(':').next().unwrap())
}

fn client(base: &str) -> RunPod {
    let secret = Secret::new(key_of(base)).unwrap();
    let key = ApiKey { secret, source: KeySource::Environment };
    RunPod::new(Urls::at(base), Some(key), Backoff::default().with_first(Duration::from_millis(1)))
        .with_timeouts(Duration::from_millis(40), Duration::from_millis(40))
}

/// What becomes of a question whose answer fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// Asked again: it changes nothing, or says the whole of the new state.
    Safe,
    /// Asked once: it makes something, and a second one might be made.
    Once,
    /// Asked once, because what it tells is no more than help.
    Help,
}

type Ask = fn(&RunPod) -> Pending<'_, ()>;

macro_rules! ask {
    ($platform:ident => $call:expr) => {
        |$platform| Box::pin(async move { $call.await.map(drop) })
    };
}

/// Every question of the trait. Who adds one adds it here.
fn questions() -> Vec<(&'static str, Kind, Ask)> {
    use Kind::{Help, Once, Safe};
    vec![
        ("apps", Safe, ask!(p => p.apps())),
        ("app", Safe, ask!(p => p.app("a"))),
        ("create_app", Once, ask!(p => p.create_app("a"))),
        ("delete_app", Safe, ask!(p => p.delete_app("a"))),
        ("environment", Safe, ask!(p => p.environment("a", "e"))),
        ("create_environment", Once, ask!(p => p.create_environment("a", "e"))),
        ("delete_environment", Safe, ask!(p => p.delete_environment("e"))),
        ("upload", Safe, ask!(p => p.upload("a", std::path::Path::new("Cargo.toml"), json!({}), &|_, _| {}))),
        ("manifest", Safe, ask!(p => p.manifest("b"))),
        ("set_manifest", Safe, ask!(p => p.set_manifest("b", json!({})))),
        ("activate", Safe, ask!(p => p.activate("e", "b"))),
        ("endpoints", Safe, ask!(p => p.endpoints())),
        ("endpoint", Safe, ask!(p => p.endpoint("x"))),
        ("create_endpoint", Once, ask!(p => p.create_endpoint(&EndpointInput::default()))),
        ("update_endpoint", Safe, ask!(p => p.update_endpoint("x", &EndpointInput::default()))),
        ("create_from_image", Once, ask!(p => p.create_from_image(&EndpointInput::default()))),
        ("update_from_image", Safe, ask!(p => p.update_from_image("x", &EndpointInput::default()))),
        ("restore_from_image", Safe, ask!(p => p.restore_from_image(&LiveEndpoint::default()))),
        ("delete_endpoint", Safe, ask!(p => p.delete_endpoint("x"))),
        ("workers", Safe, ask!(p => p.workers("x"))),
        ("logs", Help, ask!(p => p.logs("x", "w", 10))),
        ("template", Safe, ask!(p => p.template("t"))),
        ("prices", Safe, ask!(p => p.prices())),
        ("volumes", Safe, ask!(p => p.volumes())),
        ("create_volume", Once, ask!(p => p.create_volume("v", 10, "EU-RO-1"))),
    ]
}

#[test]
fn every_question_of_the_trait_is_asked_here() {
    let source = include_str!("../../src/control/platform.rs");
    let methods = source.lines().filter_map(|line| line.trim().strip_prefix("fn "));
    let methods: Vec<&str> = methods.filter_map(|line| line.split(['<', '(']).next()).collect();
    // It asks nobody.
    let asked: Vec<&str> = methods.into_iter().filter(|name| *name != "check_from_image").collect();
    assert_eq!(questions().iter().map(|(name, ..)| *name).collect::<Vec<_>>(), asked);
}

/// How often each kind of question is asked, and what is said in the end.
async fn check(way: Way, expected: impl Fn(Kind) -> usize, fits: impl Fn(&ControlError) -> bool) {
    for (name, kind, ask) in questions() {
        let (base, count) = failing(way).await;
        let client = client(&base);
        let error = ask(&client).await.unwrap_err();
        assert_eq!(count.load(Ordering::Relaxed), expected(kind), "{name} {way:?}: {error}");
        let text = format!("{error} {error:?}");
        assert!(kind == Kind::Help || fits(&error), "{name} {way:?}: {text}");
        assert!(!text.contains(&key_of(&base)), "{name} {way:?}: {text}");
    }
}

const fn tries(kind: Kind) -> usize {
    match kind {
        Kind::Safe => 4,
        Kind::Once | Kind::Help => 1,
    }
}

fn is_unreachable(error: &ControlError) -> bool {
    matches!(error, ControlError::Unreachable { .. }) && error.is_ambiguous()
}

#[tokio::test]
async fn a_platform_that_says_nothing() {
    check(Way::Silent, tries, is_unreachable).await;
}

#[tokio::test]
async fn a_connection_that_ends_before_the_answer_or_within_it() {
    for way in [Way::Gone, Way::Cut] {
        // A log that breaks off is a log.
        for (name, kind, ask) in questions().into_iter().filter(|(name, ..)| *name != "logs") {
            let (base, count) = failing(way).await;
            let client = client(&base);
            let error = ask(&client).await.unwrap_err();
            assert!(is_unreachable(&error), "{name} {way:?}: {error}");
            let seen = count.load(Ordering::Relaxed);
            assert_eq!(seen, tries(kind), "{name} {way:?}: {error}");
        }
    }
}

#[tokio::test]
async fn a_platform_in_trouble() {
    for status in [500, 502, 503, 504] {
        check(Way::Status(status, ""), tries, is_unreachable).await;
    }
}

/// It says that it did nothing, so whatever was asked is asked again.
#[tokio::test]
async fn a_platform_that_is_busy() {
    let all = |kind| if kind == Kind::Help { 1 } else { 4 };
    check(Way::Status(429, "retry-after: 0\r\n"), all, |error| {
        matches!(error, ControlError::RateLimited { retry_after: Some(after), .. } if after.is_zero())
    })
    .await;
    check(Way::Status(503, "retry-after: 0\r\n"), all, is_unreachable).await;
    // Nobody waits that long; it is told instead.
    check(Way::Status(429, "retry-after: 3600\r\n"), |_| 1, |error| error.to_string().contains("3600 s"))
        .await;
}

#[tokio::test]
async fn a_platform_that_refuses() {
    for status in [401, 403] {
        check(Way::Status(status, ""), |_| 1, ControlError::is_unauthorized).await;
    }
    for status in [400, 409, 422] {
        check(
            Way::Status(status, ""),
            |_| 1,
            |error| {
                matches!(error, ControlError::Refused { status: told, .. } if *told == status)
                    && error.to_string().contains("trouble")
            },
        )
        .await;
    }
}

#[tokio::test]
async fn answers_that_are_none() {
    for way in [Way::Nonsense, Way::Strange] {
        for (name, _, ask) in questions() {
            let (base, count) = failing(way).await;
            let client = client(&base);
            match (name, ask(&client).await) {
                // What a deletion says does not matter; whether it is gone is looked at. A log without a line is empty.
                ("delete_endpoint" | "logs", Ok(())) => {}
                (_, Err(error)) => {
                    assert!(matches!(&error, ControlError::BadAnswer { .. }), "{name} {way:?}: {error:?}");
                }
                (_, Ok(())) => panic!("{name} {way:?}: believed"),
            }
            assert_eq!(count.load(Ordering::Relaxed), 1, "{name} {way:?}");
        }
    }
}
