//! The connections of calls to HTTP endpoints: kept, found closed, and broken in the middle.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use flash::CallError;
use flash_core::{App, Error, Registry, Scope};
use flash_platform::{Credentials, Deployed, HttpClient, Peers};
use flash_tests::delete_item;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// What the peer does with the next request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Act {
    /// Answers, and keeps the connection.
    Answer,
    /// Answers, and says that it closes.
    AnswerLast,
    /// Answers as if it kept the connection, and closes it.
    AnswerAndClose,
    /// Reads it, and closes without an answer.
    Close,
    /// Begins an answer, and closes.
    Break,
}

/// A peer that does as it is told, one connection after the other. It notes the connection of each request.
#[derive(Debug, Clone)]
struct Peer {
    base: String,
    acts: Arc<Mutex<VecDeque<Act>>>,
    asked: Arc<Mutex<Vec<usize>>>,
    closed: Arc<tokio::sync::Semaphore>,
}

impl Peer {
    async fn start(acts: &[Act]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let peer = Self {
            base: format!("http://{}/base", listener.local_addr().unwrap()),
            acts: Arc::new(Mutex::new(acts.iter().copied().collect())),
            asked: Arc::default(),
            closed: Arc::new(tokio::sync::Semaphore::new(0)),
        };
        let serving = peer.clone();
        tokio::spawn(async move {
            for number in 0.. {
                let (stream, _) = listener.accept().await.unwrap();
                let serving = serving.clone();
                tokio::spawn(async move {
                    serving.serve(stream, number).await;
                    serving.closed.add_permits(1);
                });
            }
        });
        peer
    }

    async fn serve(&self, mut stream: TcpStream, number: usize) {
        while let Some(head) = head(&mut stream).await {
            assert!(head.starts_with("DELETE /base/items/7 HTTP/1.1\r\n"), "{head}");
            self.asked.lock().unwrap().push(number);
            let act = self.acts.lock().unwrap().pop_front().expect("more was asked than expected");
            let answer: &[u8] = match act {
                Act::Answer | Act::AnswerAndClose => b"HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nnull",
                Act::AnswerLast => b"HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 4\r\n\r\nnull",
                Act::Close => b"",
                Act::Break => b"HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nnu",
            };
            stream.write_all(answer).await.unwrap();
            if act != Act::Answer {
                return;
            }
        }
    }

    /// Until so many connections are closed from this side.
    async fn has_closed(&self, count: u32) {
        let _ = self.closed.acquire_many(count).await.unwrap();
    }

    fn app(&self, proxied: bool) -> App {
        let peers = Peers::new([("api".to_owned(), self.base.clone())].into());
        let http = HttpClient::new().proxied(proxied);
        let transport = Deployed::new(http, Credentials::default(), peers, None);
        App::new(Registry::linked().unwrap()).with_transport(Arc::new(transport))
    }
}

/// The head of the next request; these have no body that is worth reading.
async fn head(stream: &mut TcpStream) -> Option<String> {
    let mut text = Vec::new();
    while !text.ends_with(b"\r\n\r\n") {
        text.push(stream.read_u8().await.ok()?);
    }
    let text = String::from_utf8(text).unwrap();
    let length = text.lines().find_map(|line| line.strip_prefix("content-length: "));
    let mut body = vec![0; length.map_or(0, |length| length.parse().unwrap())];
    stream.read_exact(&mut body).await.ok()?;
    Some(text)
}

async fn call(app: &App) -> Result<(), Error> {
    let scope = Scope::builder(app.clone()).build();
    match scope.enter(async { delete_item::remote(7).await }).await {
        Ok(()) => Ok(()),
        Err(CallError::Transport(error)) => Err(error),
        Err(other) => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_connection_is_kept_until_either_side_closes_it() {
    let acts = [Act::Answer, Act::Answer, Act::AnswerLast, Act::AnswerAndClose, Act::Answer];
    for proxied in [false, true] {
        let peer = Peer::start(&acts).await;
        let app = peer.app(proxied);
        for closed in [0, 0, 1, 2, 2] {
            call(&app).await.unwrap();
            peer.has_closed(closed).await;
        }
        assert_eq!(*peer.asked.lock().unwrap(), [0, 0, 0, 1, 2], "{proxied}");
    }
}

#[tokio::test]
async fn calls_at_the_same_time_have_connections_of_their_own() {
    let peer = Peer::start(&[Act::Answer; 6]).await;
    let app = peer.app(false);
    for _ in 0..2 {
        let (one, two, three) = tokio::join!(call(&app), call(&app), call(&app));
        one.and(two).and(three).unwrap();
    }
    let mut asked = peer.asked.lock().unwrap().clone();
    asked.sort_unstable();
    assert_eq!(asked, [0, 0, 1, 1, 2, 2]);
}

/// The function may have run: that is told, and the call is not repeated.
#[tokio::test]
async fn a_connection_that_breaks_leaves_a_doubt_and_no_second_run() {
    for broken in [Act::Close, Act::Break] {
        for (acts, expected) in [(&[broken][..], &[0][..]), (&[Act::Answer, broken], &[0, 0])] {
            let peer = Peer::start(acts).await;
            let app = peer.app(false);
            for _ in 1..acts.len() {
                call(&app).await.unwrap();
            }
            let error = call(&app).await.unwrap_err();
            assert_eq!((error.code(), error.is_in_doubt()), ("unreachable", true), "{acts:?} {error:?}");
            assert!(error.message().contains(&peer.base), "{}", error.message());
            assert_eq!(*peer.asked.lock().unwrap(), expected, "{acts:?}");
        }
    }
}

/// What its caller does not wait for any more is not answered on a connection that somebody else gets.
#[tokio::test]
async fn a_call_that_is_dropped_takes_its_connection_along() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    let peers = Peers::new([("api".to_owned(), base)].into());
    let transport = Deployed::new(HttpClient::new(), Credentials::default(), peers, None);
    let app = App::new(Registry::linked().unwrap()).with_transport(Arc::new(transport));
    let mut stream = tokio::select! {
        _ = call(&app) => unreachable!("nobody answers"),
        stream = async {
            let (mut stream, _) = listener.accept().await.unwrap();
            head(&mut stream).await.unwrap();
            stream
        } => stream,
    };
    assert_eq!(stream.read(&mut [0; 8]).await.unwrap(), 0, "the connection is closed");
}
