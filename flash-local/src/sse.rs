//! Server-sent events.

use std::convert::Infallible;
use std::time::Duration;

use axum::body::Body;
use axum::response::Response;
use bytes::Bytes;
use http::{HeaderValue, header};
use http_body_util::channel::{Channel, Sender};

/// How often a comment shows both sides that the other one is still there.
const ALIVE: Duration = Duration::from_secs(15);

/// Where events go.
pub(crate) struct Events(Sender<Bytes, Infallible>);

impl Events {
    /// Sends an event. `false`: nobody listens any more.
    pub(crate) async fn send(&mut self, name: Option<&str>, id: Option<&str>, data: &str) -> bool {
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
        self.0.send_data(text.into()).await.is_ok()
    }

    /// Waits for `what`, and shows in between that this side is alive. `None`: nobody listens any more.
    pub(crate) async fn until<T>(&mut self, what: impl Future<Output = T>) -> Option<T> {
        let mut what = std::pin::pin!(what);
        loop {
            match tokio::time::timeout(ALIVE, &mut what).await {
                Ok(value) => return Some(value),
                Err(_) => self.0.send_data(Bytes::from_static(b": alive\n\n")).await.ok()?,
            }
        }
    }
}

/// A response whose events `fill` sends, from a task of its own.
pub(crate) fn response<F>(fill: impl FnOnce(Events) -> F) -> Response
where
    F: Future<Output = ()> + Send + 'static,
{
    let (sender, body) = Channel::new(16);
    tokio::spawn(fill(Events(sender)));
    let mut response = Response::new(Body::new(body));
    for (name, value) in [
        (header::CONTENT_TYPE, "text/event-stream"),
        (header::CACHE_CONTROL, "no-cache"),
        (header::CONNECTION, "keep-alive"),
        (header::HeaderName::from_static("x-accel-buffering"), "no"),
    ] {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    response
}
