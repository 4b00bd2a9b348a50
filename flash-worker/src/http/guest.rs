use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, OnceLock};
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
    share: Share,
    received: usize,
    /// How long the client was waited for; the handler's own time is its own.
    waited: Duration,
    waiting: Option<Waiting>,
    refusal: Refusal,
}

/// The client is waited for.
struct Waiting {
    since: Timestamp,
    over: Pin<Box<dyn Future<Output = ()> + Send>>,
}

/// Why the body was cut off, if it was. What the handler makes of it is not the answer then.
#[derive(Debug, Clone, Default)]
pub(super) struct Refusal(Arc<OnceLock<WireError>>);

impl Refusal {
    pub(super) fn get(&self) -> Option<WireError> {
        self.0.get().cloned()
    }
}

impl<B> Guest<B> {
    pub(super) fn new(body: B, limits: Limits, clock: Clock, share: Share, refusal: Refusal) -> Self {
        Self { body, limits, clock, share, received: 0, waited: Duration::ZERO, waiting: None, refusal }
    }

    fn refuse(&mut self, error: WireError) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let text = error.message.clone();
        let _ = self.refusal.0.set(error);
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
            if let Err(error) = room.and_then(|()| this.share.grow_to(this.received)) {
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
