use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use flash_core::WireError;
use flash_core::clock::{Clock, Timestamp};
use hyper::body::{Body, Frame, SizeHint};

use super::body::too_slow;
use super::budget::Share;
use super::limits::Limits;

/// The body of a request that a router of the user's own reads, as it likes. What a client may cost holds here as well: it is
/// never more than the limit, never slower than the limit, and counts as one of the bodies in flight.
pub(super) struct Guest<B> {
    body: B,
    limits: Limits,
    clock: Clock,
    visit: Arc<Visit>,
    received: usize,
    /// How long the client was waited for; the handler's own time is its own.
    waited: Duration,
    waiting: Option<Waiting>,
}

/// The client is waited for.
struct Waiting {
    since: Timestamp,
    over: Pin<Box<dyn Future<Output = ()> + Send>>,
}

/// What the worker keeps of such a request until its answer is there.
#[derive(Debug)]
pub(super) struct Visit {
    /// The handler has in its memory what it has read, also when the body itself is gone.
    share: Mutex<Share>,
    refusal: OnceLock<WireError>,
}

impl Visit {
    pub(super) fn new(share: Share) -> Self {
        Self { share: Mutex::new(share), refusal: OnceLock::new() }
    }

    /// Why the body was cut off, if it was. What the handler makes of it is not the answer then.
    pub(super) fn refusal(&self) -> Option<WireError> {
        self.refusal.get().cloned()
    }

    fn grow_to(&self, bytes: usize) -> Result<(), WireError> {
        self.share.lock().unwrap_or_else(PoisonError::into_inner).grow_to(bytes)
    }
}

impl<B> Guest<B> {
    pub(super) fn new(body: B, limits: Limits, clock: Clock, visit: Arc<Visit>) -> Self {
        Self { body, limits, clock, visit, received: 0, waited: Duration::ZERO, waiting: None }
    }

    fn refuse(&mut self, error: WireError) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let text = error.message.clone();
        let _ = self.visit.refusal.set(error);
        Poll::Ready(Some(Err(axum::Error::new(std::io::Error::other(text)))))
    }

    /// Waits for the client, as long as it has time.
    fn poll_time(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let waiting = self.waiting.get_or_insert_with(|| {
            let since = self.clock.now();
            let until = since + self.limits.body_allowance(self.received).saturating_sub(self.waited);
            let clock = self.clock.clone();
            Waiting { since, over: Box::pin(async move { clock.sleep_until(until).await }) }
        });
        waiting.over.as_mut().poll(cx)
    }
}

impl<B> Body for Guest<B>
where
    B: Body<Data = Bytes, Error: Into<axum::BoxError>> + Unpin,
{
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let this = &mut *self;
        let Poll::Ready(frame) = Pin::new(&mut this.body).poll_frame(cx) else {
            ready!(this.poll_time(cx));
            this.waiting = None;
            return this.refuse(too_slow(this.received));
        };
        if let Some(waiting) = this.waiting.take() {
            this.waited += this.clock.now().since(waiting.since);
        }
        let Some(frame) = frame else { return Poll::Ready(None) };
        let frame = frame.map_err(axum::Error::new)?;
        if let Some(data) = frame.data_ref() {
            this.received += data.len();
            let room = this.limits.check_body(this.received, false);
            if let Err(error) = room.and_then(|()| this.visit.grow_to(this.received)) {
                return this.refuse(error);
            }
        }
        Poll::Ready(Some(Ok(frame)))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
