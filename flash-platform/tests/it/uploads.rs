//! Uploads to a store that breaks off, stalls, is busy, or has waited too long.

use std::sync::Mutex;
use std::time::Duration;

use flash_core::Secret;
use flash_platform::control::{ApiKey, Backoff, ControlError, KeySource, Platform, RunPod, Urls};
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use crate::control::{Scripted, answer, data, scripted};

/// What a store does with one upload.
#[derive(Clone, Copy)]
enum Take {
    /// All of it, and answers with this status and these headers.
    All(u16, &'static str),
    /// This many bytes of the body, and ends the connection.
    Part(usize),
    /// All of it, and says nothing.
    Silent,
}

/// A store that gets these uploads, one after the other. Gives its address, and the bodies it got.
async fn store(takes: Vec<Take>) -> (String, tokio::task::JoinHandle<Vec<Vec<u8>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    let bodies = tokio::spawn(async move {
        let (mut bodies, mut open) = (Vec::new(), Vec::new());
        for take in takes {
            let (mut stream, _) = listener.accept().await.unwrap();
            let limit = if let Take::Part(bytes) = take { bytes } else { usize::MAX };
            bodies.push(body(&mut stream, limit).await);
            if let Take::All(status, headers) = take {
                let text =
                    format!("HTTP/1.1 {status} X\r\nconnection: close\r\n{headers}content-length: 0\r\n\r\n");
                stream.write_all(text.as_bytes()).await.unwrap();
            }
            if let Take::Silent = take {
                open.push(stream);
            }
        }
        bodies
    });
    (base, bodies)
}

/// The body of a request, or its first bytes.
async fn body(stream: &mut TcpStream, limit: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    loop {
        let head = bytes.windows(4).position(|window| window == b"\r\n\r\n").map(|at| at + 4);
        if let Some(head) = head {
            let text = String::from_utf8_lossy(&bytes[..head]).to_lowercase();
            assert!(text.starts_with("put ") && !text.contains("authorization"), "{text}");
            let length = text.lines().find_map(|line| line.strip_prefix("content-length: ")).unwrap();
            let wanted = length.trim().parse::<usize>().unwrap().min(limit);
            if bytes.len() >= head + wanted {
                return bytes.split_off(head);
            }
        }
        let mut part = vec![0; 65_536];
        let length = stream.read(&mut part).await.unwrap();
        assert!(length > 0, "the upload ended early");
        bytes.extend_from_slice(&part[..length]);
    }
}

/// A file, larger than what a connection takes without being read.
fn file() -> (tempfile::NamedTempFile, Vec<u8>) {
    let file = tempfile::NamedTempFile::new().unwrap();
    let bytes: Vec<u8> = (0..6_000_000u32).map(|i| u8::try_from(i % 251).unwrap()).collect();
    std::fs::write(file.path(), &bytes).unwrap();
    (file, bytes)
}

/// A control plane that gives out these addresses, one for each time it is asked.
async fn control_plane(stores: &[&str]) -> Scripted {
    let ticket = |(at, base): (usize, &&str)| {
        let url = format!("{base}/store?signature=fake-secret-{at}");
        data(
            json!({"prepareFlashArtifactUpload": {"uploadUrl": url, "objectKey": format!("k{at}"), "expiresAt": "later"}}),
        )
    };
    let mut answers: Vec<_> = stores.iter().enumerate().map(ticket).collect();
    answers.push(data(json!({"finalizeFlashArtifactUpload": {"id": "build", "manifest": {}}})));
    scripted(answers).await
}

fn client(base: &str) -> RunPod {
    let key = ApiKey { secret: Secret::new("fake-key-for-tests").unwrap(), source: KeySource::Environment };
    RunPod::new(Urls::at(base), Some(key), Backoff::default().with_first(Duration::from_millis(1)))
}

#[tokio::test]
async fn a_connection_that_is_cut_in_the_middle_begins_again_from_the_first_byte() {
    let (file, bytes) = file();
    let (store, bodies) = store(vec![Take::Part(1_000_000), Take::Part(10), Take::All(200, "")]).await;
    let server = control_plane(&[&store]).await;
    let heard = Mutex::new(Vec::new());
    let progress = |sent: u64, of: u64| heard.lock().unwrap().push((sent, of));
    let build = client(&server.base).upload("app", file.path(), json!({}), &progress).await.unwrap();
    assert_eq!(build, "build");
    let bodies = bodies.await.unwrap();
    assert!(bodies[2] == bytes, "what arrived is not what was sent");
    let heard = heard.into_inner().unwrap();
    assert!(heard.iter().all(|(sent, of)| sent <= of && *of == 6_000_000), "{heard:?}");
    assert_eq!(heard.last(), Some(&(6_000_000, 6_000_000)));
}

#[tokio::test]
async fn a_busy_store_says_when_to_come_back_and_one_in_trouble_is_tried_three_times() {
    let (file, bytes) = file();
    let (busy, bodies) =
        store(vec![Take::All(429, "retry-after: 0\r\n"), Take::All(503, ""), Take::All(200, "")]).await;
    let server = control_plane(&[&busy]).await;
    client(&server.base).upload("app", file.path(), json!({}), &|_, _| {}).await.unwrap();
    assert!(bodies.await.unwrap().iter().all(|body| *body == bytes));

    let (broken, bodies) = store(vec![Take::All(500, ""); 3]).await;
    let server = control_plane(&[&broken]).await;
    let error = client(&server.base).upload("app", file.path(), json!({}), &|_, _| {}).await.unwrap_err();
    assert!(matches!(&error, ControlError::Unreachable { tries: 3, .. }), "{error}");
    assert_eq!((bodies.await.unwrap().len(), server.count()), (3, 1), "nothing is finalized");
}

#[tokio::test]
async fn a_store_that_says_nothing_is_given_up() {
    let (file, _) = file();
    let (silent, bodies) = store(vec![Take::Silent; 3]).await;
    let server = control_plane(&[&silent]).await;
    let client = client(&server.base).with_timeouts(Duration::from_secs(60), Duration::from_millis(300));
    let error = client.upload("app", file.path(), json!({}), &|_, _| {}).await.unwrap_err();
    assert!(matches!(&error, ControlError::Unreachable { tries: 3, .. }), "{error}");
    assert!(!format!("{error} {error:?}").contains("fake-secret"), "{error:?}");
    assert_eq!(bodies.await.unwrap().len(), 3);
}

#[tokio::test]
async fn an_address_that_expired_is_replaced_once_and_stays_secret() {
    let (file, bytes) = file();
    let (old, _) = store(vec![Take::All(403, "")]).await;
    let (fresh, bodies) = store(vec![Take::All(200, "")]).await;
    let server = control_plane(&[&old, &fresh]).await;
    client(&server.base).upload("app", file.path(), json!({}), &|_, _| {}).await.unwrap();
    assert!(bodies.await.unwrap()[0] == bytes);
    // The build is of the object that arrived.
    assert_eq!(server.body(2)["variables"]["input"]["objectKey"], "k1");

    let (refusing, bodies) = store(vec![Take::All(403, ""); 2]).await;
    let server = control_plane(&[&refusing, &refusing]).await;
    let error = client(&server.base).upload("app", file.path(), json!({}), &|_, _| {}).await.unwrap_err();
    assert_eq!((bodies.await.unwrap().len(), server.count()), (2, 2));
    let text = format!("{error} {error:?}");
    assert!(text.contains("403") && !text.contains("fake-secret"), "{text}");
}

#[tokio::test]
async fn a_control_plane_that_fails_around_the_upload() {
    let (file, _) = file();
    // The bytes arrived, and nobody knows whether there is a build now: a second one would do no harm, but nobody asked for it.
    let (taken, bodies) = store(vec![Take::All(200, "")]).await;
    let ticket = json!({"uploadUrl": format!("{taken}/x"), "objectKey": "k", "expiresAt": "later"});
    let server = scripted(vec![
        data(json!({"prepareFlashArtifactUpload": ticket})),
        answer(502, json!({"error": "bad gateway"})),
    ])
    .await;
    let error = client(&server.base).upload("app", file.path(), json!({}), &|_, _| {}).await.unwrap_err();
    assert!(error.is_ambiguous() && error.to_string().contains("storing the build"), "{error}");
    assert_eq!((bodies.await.unwrap().len(), server.count()), (1, 2));
    let gone = client("http://127.0.0.1:1");
    let missing =
        gone.upload("app", std::path::Path::new("/nowhere/a"), json!({}), &|_, _| {}).await.unwrap_err();
    assert!(
        matches!(&missing, ControlError::Local { .. }) && missing.to_string().contains("flash build"),
        "{missing}"
    );
}
