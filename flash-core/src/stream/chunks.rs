use std::fmt;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use super::items::Stream;
use crate::encode::{Encoded, ReplyForm, encode};
use crate::error::{WireError, code};
use crate::invoke::{Outcome, log_failure, out_of_time, panicked};
use crate::remote::{Payload, RemoteError};
use crate::scope::Scope;

/// Largest item of a stream, in bytes of JSON (platform contract A.6 and B.7).
pub const CHUNK_LIMIT: usize = 1_000_000;

/// What a function made.
#[derive(Debug)]
pub enum Produced {
    /// One value.
    Value(Encoded),
    /// A stream of values. The function is not done before the stream is.
    Stream(Chunks),
}

/// A user's stream with its types erased: each item is encoded when it is asked for.
pub(crate) type Producer = Pin<Box<dyn futures_core::Stream<Item = Outcome> + Send>>;

pub(crate) fn encoded<T: Payload, E: RemoteError>(stream: Stream<T, E>) -> Producer {
    Box::pin(EncodedItems(stream))
}

struct EncodedItems<T, E>(Stream<T, E>);

impl<T: Payload, E: RemoteError> futures_core::Stream for EncodedItems<T, E> {
    type Item = Outcome;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Outcome>> {
        Poll::Ready(match ready!(Pin::new(&mut self.0).poll_next(cx)) {
            None => None,
            Some(Ok(item)) => Some(encode(&item, ReplyForm::json(CHUNK_LIMIT), "an item of the stream")),
            Some(Err(error)) => Some(Err(error.to_wire())),
        })
    }
}

/// The items of a streaming function on their way out, as a door reads them: each is JSON of at most [`CHUNK_LIMIT`] bytes.
///
/// The user's code runs inside of the invocation's [`Scope`], only when the next item is asked for, and not past the
/// deadline. A panic in it is an error like any other. An error is the last item. Dropping this drops the user's producer
/// at once.
pub struct Chunks {
    /// `None` after the last item.
    producer: Option<Producer>,
    scope: Scope,
    deadline: Option<Pin<Box<dyn Future<Output = ()> + Send>>>,
}

impl Chunks {
    pub(crate) fn new(producer: Producer, scope: Scope) -> Self {
        let deadline = scope.deadline().map(|deadline| {
            let clock = scope.app().clock().clone();
            Box::pin(async move { clock.sleep_until(deadline).await }) as _
        });
        Self { producer: Some(producer), scope, deadline }
    }

    /// The invocation that the items belong to.
    #[must_use]
    pub fn scope(&self) -> &Scope {
        &self.scope
    }

    /// The next item; `None` after the last, and after an error.
    ///
    /// Dropping the future loses nothing: the next call goes on where this one was.
    pub async fn next(&mut self) -> Option<Outcome> {
        std::future::poll_fn(|cx| self.poll_item(cx)).await
    }

    /// All items as one JSON array of at most `limit` bytes, as a door sends them that cannot send them one by one.
    ///
    /// # Errors
    /// The error in the stream, or more items than fit.
    pub async fn collect(mut self, limit: usize) -> Outcome {
        let mut json = b"[".to_vec();
        while let Some(item) = self.next().await {
            let item = item?.json;
            if json.len() + item.len() + 2 > limit {
                let text = format!("the items of the stream are together over the limit of {limit} bytes");
                let error = WireError::new(code::RESULT_TOO_LARGE, text).terminal();
                log_failure(&self.scope, &error);
                return Err(error);
            }
            if json.len() > 1 {
                json.push(b',');
            }
            json.extend_from_slice(&item);
        }
        json.push(b']');
        Ok(Encoded::of_json(json))
    }

    fn poll_item(&mut self, cx: &mut Context<'_>) -> Poll<Option<Outcome>> {
        let Some(producer) = &mut self.producer else { return Poll::Ready(None) };
        // Asked first, because a producer that is never pending would otherwise never be out of time.
        let is_late = self.deadline.as_mut().is_some_and(|deadline| deadline.as_mut().poll(cx).is_ready());
        let item = if is_late {
            Some(Err(out_of_time()))
        } else {
            let poll = || catch_unwind(AssertUnwindSafe(|| producer.as_mut().poll_next(cx)));
            match self.scope.clone().enter_blocking(poll) {
                Ok(poll) => ready!(poll),
                Err(panic) => Some(Err(panicked(&*panic))),
            }
        };
        match &item {
            Some(Ok(_)) => {}
            None => self.end(),
            Some(Err(error)) => {
                log_failure(&self.scope, error);
                self.end();
            }
        }
        Poll::Ready(item)
    }

    fn end(&mut self) {
        self.deadline = None;
        let Some(producer) = self.producer.take() else { return };
        let drop = || catch_unwind(AssertUnwindSafe(|| drop(producer)));
        if let Err(panic) = self.scope.clone().enter_blocking(drop) {
            log_failure(&self.scope, &panicked(&*panic));
        }
    }
}

impl Drop for Chunks {
    fn drop(&mut self) {
        self.end();
    }
}

impl futures_core::Stream for Chunks {
    type Item = Outcome;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Outcome>> {
        self.poll_item(cx)
    }
}

impl fmt::Debug for Chunks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Chunks").field("scope", &self.scope).finish_non_exhaustive()
    }
}
