use std::pin::Pin;
use std::task::{Context, Poll, ready};

use serde_json::value::RawValue;

use crate::error::Error;
use crate::transport::{CallFailure, CallFuture, ChunkStream};

/// The items of an answer that arrives as one JSON array.
pub(crate) fn split(call: CallFuture) -> ChunkStream {
    Box::pin(Split::Waiting(call))
}

enum Split {
    Waiting(CallFuture),
    Split(std::vec::IntoIter<Box<RawValue>>),
}

impl futures_core::Stream for Split {
    type Item = Result<Vec<u8>, CallFailure>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if let Self::Waiting(call) = &mut *self {
            let answer = ready!(call.as_mut().poll(cx));
            let items = answer.and_then(|json| {
                serde_json::from_slice::<Vec<Box<RawValue>>>(&json)
                    .map_err(|error| CallFailure::Transport(Error::bad_answer(&error)))
            });
            match items {
                Ok(items) => *self = Self::Split(items.into_iter()),
                Err(error) => {
                    *self = Self::Split(Vec::new().into_iter());
                    return Poll::Ready(Some(Err(error)));
                }
            }
        }
        let Self::Split(items) = &mut *self else { return Poll::Ready(None) };
        Poll::Ready(items.next().map(|item| Ok(Box::<str>::from(item).into_string().into_bytes())))
    }
}
