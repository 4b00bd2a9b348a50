use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, ready};

use tokio::sync::mpsc;

/// Fills a [`Stream`](crate::Stream) that [`Stream::channel`](crate::Stream::channel) made. Clones fill the same one.
pub struct StreamSender<T, E> {
    items: mpsc::Sender<Result<T, E>>,
    panicked: Arc<AtomicBool>,
}

/// Nobody reads the stream any more: the caller went away, the job was stopped, or its time is over. What was not sent yet
/// is not wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("nobody reads the stream any more")]
#[non_exhaustive]
pub struct StreamClosed;

pub(super) fn channel<T, E>(capacity: usize) -> (StreamSender<T, E>, Receiver<T, E>) {
    let (sender, receiver) = mpsc::channel(capacity);
    let panicked = Arc::new(AtomicBool::new(false));
    (StreamSender { items: sender, panicked: Arc::clone(&panicked) }, Receiver { items: receiver, panicked })
}

impl<T, E> StreamSender<T, E> {
    /// Sends an item, and waits while the stream is full.
    ///
    /// # Errors
    /// Nobody reads the stream any more.
    pub async fn send(&self, item: T) -> Result<(), StreamClosed> {
        self.items.send(Ok(item)).await.map_err(|_| StreamClosed)
    }

    /// As [`send`](Self::send), from a blocking function or a thread.
    ///
    /// # Errors
    /// Nobody reads the stream any more.
    ///
    /// # Panics
    /// Inside of an `async` function, where waiting would block every other task: use [`send`](Self::send) there.
    pub fn blocking_send(&self, item: T) -> Result<(), StreamClosed> {
        self.items.blocking_send(Ok(item)).map_err(|_| StreamClosed)
    }

    /// Ends the stream with an error.
    ///
    /// # Errors
    /// Nobody reads the stream any more.
    pub async fn fail(self, error: E) -> Result<(), StreamClosed> {
        self.items.send(Err(error)).await.map_err(|_| StreamClosed)
    }

    /// As [`fail`](Self::fail), from a blocking function or a thread.
    ///
    /// # Errors
    /// Nobody reads the stream any more.
    ///
    /// # Panics
    /// Inside of an `async` function.
    pub fn blocking_fail(self, error: E) -> Result<(), StreamClosed> {
        self.items.blocking_send(Err(error)).map_err(|_| StreamClosed)
    }

    /// Whether nobody reads the stream any more.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.items.is_closed()
    }

    /// Waits until nobody reads the stream any more.
    pub async fn closed(&self) {
        self.items.closed().await;
    }
}

impl<T, E> Clone for StreamSender<T, E> {
    fn clone(&self) -> Self {
        Self { items: self.items.clone(), panicked: Arc::clone(&self.panicked) }
    }
}

impl<T, E> Drop for StreamSender<T, E> {
    fn drop(&mut self) {
        // A stream that merely stopped would look complete.
        if std::thread::panicking() {
            self.panicked.store(true, Ordering::Release);
        }
    }
}

impl<T, E> fmt::Debug for StreamSender<T, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StreamSender").field("is_closed", &self.is_closed()).finish()
    }
}

pub(super) struct Receiver<T, E> {
    items: mpsc::Receiver<Result<T, E>>,
    panicked: Arc<AtomicBool>,
}

impl<T, E> futures_core::Stream for Receiver<T, E> {
    type Item = Result<T, E>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let item = ready!(self.items.poll_recv(cx));
        assert!(item.is_some() || !self.panicked.load(Ordering::Acquire), "what filled the stream panicked");
        Poll::Ready(item)
    }
}
