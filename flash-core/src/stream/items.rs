use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use super::channel::{self, StreamSender};

/// A result that arrives item by item: `Result<flash::Stream<T, E>, E>` is what a streaming function returns.
///
/// On a queue the items become the job's partial results, on HTTP server-sent events; a caller reads them with
/// `f::remote(…).stream()`. An item that is an error is the last one, and arrives as the function's own error does.
///
/// Nothing is made before it is asked for: the producer is only polled when the reader has room, and is dropped as soon as
/// the reader is gone.
///
/// ```
/// # async fn example() -> Result<(), String> {
/// let mut words = flash_core::Stream::<_, String>::iter(["hello", "world"].map(Ok));
/// while let Some(word) = words.next().await {
///     assert!(word?.len() == 5);
/// }
/// # Ok(())
/// # }
/// ```
#[must_use = "a stream does nothing until it is read"]
pub struct Stream<T, E> {
    inner: Inner<T, E>,
}

enum Inner<T, E> {
    Any(Pin<Box<dyn futures_core::Stream<Item = Result<T, E>> + Send>>),
    /// One item that is there already: how items cross from the wire, without an allocation for each.
    One(Option<T>),
}

// An item is only ever moved out, so nothing relies on where it lies.
impl<T, E> Unpin for Stream<T, E> {}

impl<T, E> Stream<T, E> {
    /// The items of any stream.
    pub fn new(stream: impl futures_core::Stream<Item = Result<T, E>> + Send + 'static) -> Self {
        Self { inner: Inner::Any(Box::pin(stream)) }
    }

    /// The items of an iterator, each made when it is asked for. One that takes long to make its items belongs on a
    /// thread of its own, with a [`channel`](Self::channel).
    pub fn iter(items: impl IntoIterator<Item = Result<T, E>, IntoIter: Send + 'static>) -> Self {
        Self::new(Iter(items.into_iter()))
    }

    /// A stream and what fills it, from a task or from a blocking thread. The sender waits while `capacity` items are
    /// unread, and learns when nobody reads any more. The stream ends when the last sender is dropped.
    ///
    /// ```
    /// # fn tokens() -> impl Iterator<Item = String> { std::iter::empty() }
    /// fn generate(prompt: String) -> Result<flash_core::Stream<String, String>, String> {
    ///     let (sender, stream) = flash_core::Stream::channel(16);
    ///     flash_core::spawn_blocking(move || {
    ///         for token in tokens() {
    ///             if sender.blocking_send(token).is_err() {
    ///                 return; // the caller is gone
    ///             }
    ///         }
    ///     });
    ///     Ok(stream)
    /// }
    /// ```
    ///
    /// # Panics
    /// With a capacity of 0.
    pub fn channel(capacity: usize) -> (StreamSender<T, E>, Self)
    where
        T: Send + 'static,
        E: Send + 'static,
    {
        let (sender, receiver) = channel::channel(capacity);
        (sender, Self::new(receiver))
    }

    pub(crate) fn one(item: T) -> Self {
        Self { inner: Inner::One(Some(item)) }
    }

    /// The item of [`one`](Self::one).
    pub(crate) fn into_one(self) -> Option<T> {
        match self.inner {
            Inner::One(item) => item,
            Inner::Any(_) => None,
        }
    }

    /// The next item; `None` after the last.
    ///
    /// Dropping the future loses nothing: the next call goes on where this one was.
    pub async fn next(&mut self) -> Option<Result<T, E>> {
        std::future::poll_fn(|cx| self.poll_item(cx)).await
    }

    /// Waits for the end, and gives all items.
    ///
    /// # Errors
    /// The error in the stream, if there is one.
    pub async fn collect(mut self) -> Result<Vec<T>, E> {
        let mut items = Vec::new();
        while let Some(item) = self.next().await {
            items.push(item?);
        }
        Ok(items)
    }

    /// The same stream with other items.
    pub fn map_ok<U: 'static>(self, f: impl FnMut(T) -> U + Send + 'static) -> Stream<U, E>
    where
        T: Send + 'static,
        E: 'static,
    {
        Stream::new(Map { stream: self, ok: f, err: std::convert::identity })
    }

    /// The same stream with other errors, as a function needs it that passes on the stream of another one:
    /// `generate::remote(prompt).stream().map_err(ApiError::from)`.
    pub fn map_err<F: 'static>(self, f: impl FnMut(E) -> F + Send + 'static) -> Stream<T, F>
    where
        T: Send + 'static,
        E: 'static,
    {
        Stream::new(Map { stream: self, ok: std::convert::identity, err: f })
    }

    fn poll_item(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<T, E>>> {
        match &mut self.inner {
            Inner::Any(stream) => stream.as_mut().poll_next(cx),
            Inner::One(item) => Poll::Ready(item.take().map(Ok)),
        }
    }
}

impl<T, E> futures_core::Stream for Stream<T, E> {
    type Item = Result<T, E>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.poll_item(cx)
    }
}

impl<T, E> fmt::Debug for Stream<T, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Stream").finish_non_exhaustive()
    }
}

struct Iter<I>(I);

impl<I> Unpin for Iter<I> {}

impl<I: Iterator> futures_core::Stream for Iter<I> {
    type Item = I::Item;

    fn poll_next(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<I::Item>> {
        Poll::Ready(self.0.next())
    }
}

struct Map<T, E, A, B> {
    stream: Stream<T, E>,
    ok: A,
    err: B,
}

impl<T, E, A, B> Unpin for Map<T, E, A, B> {}

impl<T, E, U, F, A: FnMut(T) -> U, B: FnMut(E) -> F> futures_core::Stream for Map<T, E, A, B> {
    type Item = Result<U, F>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = &mut *self;
        Poll::Ready(match ready!(this.stream.poll_item(cx)) {
            None => None,
            Some(Ok(item)) => Some(Ok((this.ok)(item))),
            Some(Err(error)) => Some(Err((this.err)(error))),
        })
    }
}
