//! The future of a store operation.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use super::StoreError;

/// The answer of a store: there at once (memory), or later (a database's thread).
///
/// The traits must be object safe, and a boxed future for each operation would cost the memory store an allocation that
/// it has no use for.
pub enum Answer<T> {
    /// It is there. `None` after it was taken.
    Now(Option<Result<T, StoreError>>),
    /// It comes later.
    Later(Pin<Box<dyn Future<Output = Result<T, StoreError>> + Send>>),
}

impl<T> Answer<T> {
    /// An answer that is there.
    pub const fn now(value: T) -> Self {
        Self::Now(Some(Ok(value)))
    }
}

impl<T> Unpin for Answer<T> {}

impl<T> Future for Answer<T> {
    type Output = Result<T, StoreError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        match &mut *self {
            Self::Now(value) => match value.take() {
                Some(value) => Poll::Ready(value),
                None => panic!("an answer was polled after it was taken"),
            },
            Self::Later(future) => future.as_mut().poll(cx),
        }
    }
}

impl<T> fmt::Debug for Answer<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Now(_) => "Answer::Now",
            Self::Later(_) => "Answer::Later",
        })
    }
}
