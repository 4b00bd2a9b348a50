//! Server-sent events.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use hyper::body::{Body, Frame};
use serde::Serialize;
use tokio::sync::mpsc;

/// Events that may wait for a slow reader. Then the sender waits, and what it sends afterwards is what is true by then.
const WAITING: usize = 16;

/// The body of an answer that is a stream of events.
#[derive(Debug)]
pub(super) struct Events(mpsc::Receiver<Bytes>);

impl Events {
    pub(super) fn channel() -> (Sender, Self) {
        let (sender, receiver) = mpsc::channel(WAITING);
        (Sender(sender), Self(receiver))
    }
}

impl Body for Events {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        self.0.poll_recv(cx).map(|bytes| Some(Ok(Frame::data(bytes?))))
    }
}

/// The reader is gone.
#[derive(Debug)]
pub(super) struct Closed;

/// Where events are written to.
#[derive(Debug)]
pub(super) struct Sender(mpsc::Sender<Bytes>);

impl Sender {
    /// Sends an event, whose data is JSON and so has no line breaks.
    pub(super) async fn send(&self, event: &str, data: &impl Serialize) -> Result<(), Closed> {
        match serde_json::to_string(data) {
            Ok(data) => self.text(event, &data).await,
            Err(error) => {
                tracing::error!(%error, event, "failed to write an event");
                Ok(())
            }
        }
    }

    pub(super) async fn text(&self, event: &str, data: &str) -> Result<(), Closed> {
        self.bytes(format!("event: {event}\ndata: {data}\n\n")).await
    }

    /// Says that the connection lives.
    pub(super) async fn alive(&self) -> Result<(), Closed> {
        self.bytes(":\n\n".to_owned()).await
    }

    async fn bytes(&self, text: String) -> Result<(), Closed> {
        self.0.send(text.into()).await.map_err(|_| Closed)
    }

    pub(super) async fn closed(&self) {
        self.0.closed().await;
    }
}
