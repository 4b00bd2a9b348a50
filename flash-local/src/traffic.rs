//! Keeps what goes over the wire, so that a test can look at all of it.

use std::fmt;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};

use axum::body::Body;
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;
use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderMap, StatusCode};
use hyper::body::{Body as HttpBody, Frame, SizeHint};

/// A request and its answer, as far as they have gone over the wire by now.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Exchange {
    /// The method.
    pub method: String,
    /// The path with its query.
    pub target: String,
    /// The content type of the request.
    pub request_type: Option<String>,
    /// The body of the request.
    pub request: Vec<u8>,
    /// The status of the answer. `None` while there is none.
    pub status: Option<StatusCode>,
    /// The content type of the answer.
    pub response_type: Option<String>,
    /// The body of the answer.
    pub response: Vec<u8>,
}

impl fmt::Debug for Exchange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Exchange")
            .field("method", &self.method)
            .field("target", &self.target)
            .field("request_type", &self.request_type)
            .field("request", &String::from_utf8_lossy(&self.request))
            .field("status", &self.status)
            .field("response_type", &self.response_type)
            .field("response", &String::from_utf8_lossy(&self.response))
            .finish()
    }
}

/// Everything that went over the wire, in the order in which it came.
#[derive(Clone, Debug, Default)]
pub(crate) struct Traffic {
    exchanges: Arc<Mutex<Vec<Arc<Mutex<Exchange>>>>>,
}

impl Traffic {
    pub(crate) fn exchanges(&self) -> Vec<Exchange> {
        let exchanges = self.exchanges.lock().unwrap_or_else(PoisonError::into_inner);
        exchanges.iter().map(|exchange| lock(exchange).clone()).collect()
    }
}

fn lock(exchange: &Mutex<Exchange>) -> MutexGuard<'_, Exchange> {
    exchange.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The layer that writes down what passes through it. Nothing is held up by it, streams neither.
pub(crate) async fn record(State(traffic): State<Traffic>, request: Request, next: Next) -> Response {
    let exchange = Arc::new(Mutex::new(Exchange {
        method: request.method().to_string(),
        target: request.uri().to_string(),
        request_type: content_type(request.headers()),
        ..Exchange::default()
    }));
    traffic.exchanges.lock().unwrap_or_else(PoisonError::into_inner).push(exchange.clone());
    let copy = |side| Copying { body: Body::empty(), exchange: exchange.clone(), side };
    let request = request.map(|body| Body::new(Copying { body, ..copy(Side::Request) }));
    let response = next.run(request).await;
    {
        let mut exchange = lock(&exchange);
        exchange.status = Some(response.status());
        exchange.response_type = content_type(response.headers());
    }
    response.map(|body| Body::new(Copying { body, ..copy(Side::Response) }))
}

fn content_type(headers: &HeaderMap) -> Option<String> {
    Some(headers.get(CONTENT_TYPE)?.to_str().ok()?.to_owned())
}

#[derive(Clone, Copy)]
enum Side {
    Request,
    Response,
}

/// A body that is copied while it passes.
struct Copying {
    body: Body,
    exchange: Arc<Mutex<Exchange>>,
    side: Side,
}

impl HttpBody for Copying {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let polled = Pin::new(&mut self.body).poll_frame(cx);
        if let Poll::Ready(Some(Ok(frame))) = &polled
            && let Some(bytes) = frame.data_ref()
        {
            let mut exchange = lock(&self.exchange);
            match self.side {
                Side::Request => exchange.request.extend_from_slice(bytes),
                Side::Response => exchange.response.extend_from_slice(bytes),
            }
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
