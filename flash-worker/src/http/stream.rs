use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use flash_core::clock::{Clock, Timestamp};
use flash_core::wire::sse;
use flash_core::{Chunks, Outcome, Problem};
use futures_core::Stream as _;
use hyper::body::{Body, Frame};

use super::request::Place;

/// From this size on, what is ready goes out before more is asked for.
const FRAME: usize = 16 * 1024;
const KEEP_ALIVE: Duration = Duration::from_secs(sse::KEEP_ALIVE_SECS);

/// The items of a streaming function as server-sent events, framed as [`flash_core::wire::sse`] says.
///
/// It is polled when the client has room for more, and dropped when the client is gone, and the producer with it.
pub(super) struct Events {
    /// `None` after the last event.
    chunks: Option<Chunks>,
    /// The function runs as long as its stream.
    place: Option<Place>,
    clock: Clock,
    last: Timestamp,
    quiet: Pin<Box<dyn Future<Output = ()> + Send>>,
}

impl Events {
    pub(super) fn new(chunks: Chunks, place: Place) -> Self {
        let clock = chunks.scope().app().clock().clone();
        let last = clock.now();
        Self {
            chunks: Some(chunks),
            place: Some(place),
            quiet: sleep(&clock, last + KEEP_ALIVE),
            last,
            clock,
        }
    }

    /// Adds the event of an item, of the end or of a failure; says whether more will come.
    fn write(&mut self, item: Option<Outcome>, frame: &mut Vec<u8>) -> bool {
        match item {
            Some(Ok(encoded)) => {
                frame.extend_from_slice(&sse::item(&encoded.json));
                return true;
            }
            None => frame.extend_from_slice(&sse::end()),
            Some(Err(mut error)) => {
                error.request_id = self.chunks.as_ref().map(|chunks| chunks.scope().request_id().to_owned());
                // A problem holds strings and a JSON value, and those always encode.
                let problem = serde_json::to_vec(&Problem::from(&error)).unwrap_or_default();
                frame.extend_from_slice(&sse::error(&problem));
            }
        }
        self.chunks = None;
        if let Some(place) = self.place.take() {
            place.done();
        }
        false
    }
}

fn sleep(clock: &Clock, until: Timestamp) -> Pin<Box<dyn Future<Output = ()> + Send>> {
    let clock = clock.clone();
    Box::pin(async move { clock.sleep_until(until).await })
}

impl Body for Events {
    type Data = Bytes;
    type Error = std::convert::Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        let this = &mut *self;
        let mut frame = Vec::new();
        while let Some(chunks) = &mut this.chunks
            && frame.len() < FRAME
        {
            let Poll::Ready(item) = Pin::new(&mut *chunks).poll_next(cx) else { break };
            if !this.write(item, &mut frame) {
                break;
            }
        }
        if !frame.is_empty() {
            this.last = this.clock.now();
            return Poll::Ready(Some(Ok(Frame::data(frame.into()))));
        }
        if this.chunks.is_none() {
            return Poll::Ready(None);
        }
        // One timer for many items: when it is over, it is set to what is left.
        while this.quiet.as_mut().poll(cx).is_ready() {
            let now = this.clock.now();
            let is_quiet = this.last + KEEP_ALIVE <= now;
            if is_quiet {
                this.last = now;
            }
            this.quiet = sleep(&this.clock, this.last + KEEP_ALIVE);
            if is_quiet {
                return Poll::Ready(Some(Ok(Frame::data(Bytes::from_static(sse::KEEP_ALIVE)))));
            }
        }
        Poll::Pending
    }
}
