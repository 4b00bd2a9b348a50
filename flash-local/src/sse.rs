//! Server-sent events.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};

use axum::body::Body;
use axum::response::Response;
use bytes::Bytes;
use http::{HeaderName, HeaderValue, header};
use hyper::body::Frame;
use tokio::sync::mpsc;

/// Events that may wait for a slow reader. Then the sender waits, and what it sends afterwards is what is true by then.
const WAITING: usize = 16;

/// The reader is gone.
#[derive(Debug)]
pub(crate) struct Closed;

/// Where events go.
#[derive(Debug)]
pub(crate) struct Events(mpsc::Sender<Bytes>);

impl Events {
    /// Sends an event.
    pub(crate) async fn send(&self, name: Option<&str>, id: Option<&str>, data: &str) -> Result<(), Closed> {
        let mut text = String::with_capacity(data.len() + 32);
        for (field, value) in [("event", name), ("id", id)] {
            if let Some(value) = value {
                text.extend([field, ": ", value, "\n"]);
            }
        }
        for line in data.lines() {
            text.extend(["data: ", line, "\n"]);
        }
        text.push('\n');
        self.bytes(text.into()).await
    }

    /// Says that the connection lives.
    pub(crate) async fn alive(&self) -> Result<(), Closed> {
        self.bytes(Bytes::from_static(b": alive\n\n")).await
    }

    /// Waits for `what`, and shows in between that this side is alive.
    #[cfg(feature = "control-plane")]
    pub(crate) async fn until<T>(&self, what: impl Future<Output = T>) -> Result<T, Closed> {
        /// How often a comment shows both sides that the other one is still there.
        const ALIVE: std::time::Duration = std::time::Duration::from_secs(15);
        let mut what = std::pin::pin!(what);
        loop {
            tokio::select! {
                value = &mut what => return Ok(value),
                () = self.closed() => return Err(Closed),
                () = tokio::time::sleep(ALIVE) => self.alive().await?,
            }
        }
    }

    /// Waits until the reader is gone.
    pub(crate) async fn closed(&self) {
        self.0.closed().await;
    }

    async fn bytes(&self, bytes: Bytes) -> Result<(), Closed> {
        self.0.send(bytes).await.map_err(|_| Closed)
    }
}

/// The body of an answer that is a stream of events.
#[derive(Debug)]
struct Stream(mpsc::Receiver<Bytes>);

impl hyper::body::Body for Stream {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        self.0.poll_recv(cx).map(|bytes| Some(Ok(Frame::data(bytes?))))
    }
}

/// A response whose events `fill` sends, from a task of its own. `cache`: what those on the way may do with it.
pub(crate) fn response<F>(cache: &'static str, fill: impl FnOnce(Events) -> F) -> Response
where
    F: Future<Output = ()> + Send + 'static,
{
    let (sender, receiver) = mpsc::channel(WAITING);
    tokio::spawn(fill(Events(sender)));
    let mut response = Response::new(Body::new(Stream(receiver)));
    for (name, value) in [
        (header::CONTENT_TYPE, "text/event-stream"),
        (header::CACHE_CONTROL, cache),
        (header::CONNECTION, "keep-alive"),
        (HeaderName::from_static("x-accel-buffering"), "no"),
    ] {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    response
}
