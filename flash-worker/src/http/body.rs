use std::future::poll_fn;
use std::pin::Pin;
use std::task::Poll;

use bytes::{Bytes, BytesMut};
use flash_core::clock::{Clock, Timestamp};
use flash_core::{WireError, code};
use hyper::body::Body;

use super::budget::Share;
use super::limits::Limits;

/// How much of a body that nobody wants is read and thrown away, in bytes. A client that is still sending when the answer
/// comes takes it for a broken connection.
const DISCARD_MAX: usize = 64_000_000;

/// A body on its way in: never more than the limit, never slower than the limit.
#[derive(Debug)]
pub(crate) struct Reader<'a, B> {
    body: B,
    announced: Option<usize>,
    limits: &'a Limits,
    clock: &'a Clock,
    /// Where the body is counted among those in flight.
    share: Option<&'a mut Share>,
    received: usize,
    /// The client waits for a word before it sends, so nothing has to be thrown away.
    asks_first: bool,
    /// Since when the client is waited for; `None` while everything was there at once.
    waiting_since: Option<Timestamp>,
}

impl<'a, B> Reader<'a, B>
where
    B: Body<Data = Bytes, Error: std::fmt::Display> + Unpin,
{
    /// `announced` is the length that the head tells.
    pub(crate) fn new(body: B, announced: Option<usize>, limits: &'a Limits, clock: &'a Clock) -> Self {
        Self {
            body,
            announced,
            limits,
            clock,
            share: None,
            received: 0,
            asks_first: false,
            waiting_since: None,
        }
    }

    /// Says whether the client waits for `100 Continue` before it sends.
    pub(crate) fn asking_first(mut self, asks_first: bool) -> Self {
        self.asks_first = asks_first;
        self
    }

    /// Counts the body among those in flight: with its whole length at once where it is announced.
    pub(crate) fn within(mut self, share: &'a mut Share) -> Self {
        self.share = Some(share);
        self
    }

    /// Reads all of it. The announced length sizes the buffer once; a small body is never copied.
    ///
    /// # Errors
    /// `payload_too_large`, `overloaded`, `request_timeout`, or `invalid_request` for a body that breaks off.
    pub(crate) async fn whole(mut self) -> Result<Bytes, WireError> {
        if let Some(size) = self.announced
            && let Err(error) = self.room(size, true)
        {
            self.discard().await;
            return Err(error);
        }
        let Some(first) = self.next().await? else { return Ok(Bytes::new()) };
        if self.announced == Some(first.len()) {
            return Ok(first);
        }
        if let Err(error) = self.room(first.len(), false) {
            drop(first);
            self.discard().await;
            return Err(error);
        }
        let mut buffer = BytesMut::with_capacity(self.announced.unwrap_or(first.len() * 2));
        buffer.extend_from_slice(&first);
        drop(first);
        while let Some(chunk) = self.next().await? {
            if let Err(error) = self.room(buffer.len() + chunk.len(), false) {
                drop(buffer);
                self.discard().await;
                return Err(error);
            }
            buffer.extend_from_slice(&chunk);
        }
        Ok(buffer.freeze())
    }

    /// Whether a body of so many bytes in all may come.
    fn room(&mut self, size: usize, is_announced: bool) -> Result<(), WireError> {
        self.limits.check_body(size, is_announced)?;
        self.share.as_mut().map_or(Ok(()), |share| share.grow_to(size))
    }

    /// Reads what nobody wants.
    pub(crate) async fn discard(&mut self) {
        while !self.asks_first
            && self.received < DISCARD_MAX
            && let Ok(Some(_)) = self.next().await
        {}
    }

    async fn next(&mut self) -> Result<Option<Bytes>, WireError> {
        // What is there already needs no timer, and that is nearly every body.
        let ready = poll_fn(|cx| Poll::Ready(poll_data(&mut self.body, cx))).await;
        let frame = match ready {
            Poll::Ready(frame) => frame,
            Poll::Pending => {
                let since = *self.waiting_since.get_or_insert_with(|| self.clock.now());
                let until = since + self.limits.body_allowance(self.received);
                let waiting = poll_fn(|cx| poll_data(&mut self.body, cx));
                self.clock.timeout_at(until, waiting).await.map_err(|_| too_slow(self.received))?
            }
        };
        if let Ok(Some(chunk)) = &frame {
            self.received += chunk.len();
        }
        frame
    }
}

/// The next data of a body; trailers are skipped.
fn poll_data<B>(body: &mut B, cx: &mut std::task::Context<'_>) -> Poll<Result<Option<Bytes>, WireError>>
where
    B: Body<Data = Bytes, Error: std::fmt::Display> + Unpin,
{
    loop {
        match std::task::ready!(Pin::new(&mut *body).poll_frame(cx)) {
            None => return Poll::Ready(Ok(None)),
            Some(Ok(frame)) => {
                if let Ok(data) = frame.into_data() {
                    return Poll::Ready(Ok(Some(data)));
                }
            }
            Some(Err(error)) => {
                return Poll::Ready(Err(WireError::new(
                    code::INVALID_REQUEST,
                    "the body could not be read to its end",
                )
                .with_internal(error.to_string())));
            }
        }
    }
}

#[cold]
pub(super) fn too_slow(received: usize) -> WireError {
    WireError::new(code::REQUEST_TIMEOUT, format!("the body came too slowly: {received} bytes so far"))
        .retryable()
}
