use std::fmt;
use std::marker::PhantomData;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use serde::de::DeserializeOwned;
use serde_json::Value;

use super::builder::{ErrorOf, OutputOf};
use crate::error::{CallError, Error, WireError, failure_of};
use crate::ids::JobId;
use crate::remote::{IsResult, Remote};
use crate::stream::Stream;
use crate::transport::{CallFailure, ChunkStream, JobHandle};
use crate::wire::{self, JobStatus};

/// What a job gives: the types of a remote function, or [`Untyped`] JSON.
pub trait JobKind: 'static {
    /// What it succeeds with.
    type Output;
    /// What it fails with.
    type Error;
    /// Reads its result.
    #[doc(hidden)]
    fn output(json: &[u8]) -> Result<Self::Output, CallError<Self::Error>>;
    /// Reads its error.
    #[doc(hidden)]
    fn error(wire: WireError) -> CallError<Self::Error>;
}

#[diagnostic::do_not_recommend]
impl<R: Remote<Return: IsResult>> JobKind for R {
    type Output = OutputOf<R>;
    type Error = <R::Return as IsResult>::Err;

    fn output(json: &[u8]) -> Result<OutputOf<R>, ErrorOf<R>> {
        let returned = R::RETURNS.decode(json).map_err(CallError::Transport)?;
        returned.into_result().map_err(CallError::Remote)
    }

    fn error(wire: WireError) -> ErrorOf<R> {
        match R::RETURNS.decode_error(wire).map(IsResult::into_result) {
            Ok(Err(error)) => CallError::Remote(error),
            Ok(Ok(_)) => CallError::Transport(Error::internal("an error was read as a success")),
            Err(wire) => CallError::Transport(Error::from(wire)),
        }
    }
}

/// A job whose result streams: its items.
pub trait StreamKind: JobKind {
    /// One item.
    type Item: Send + 'static;
    /// Reads an item.
    #[doc(hidden)]
    fn item(json: &[u8]) -> Result<Self::Item, CallError<Self::Error>>;
}

#[diagnostic::do_not_recommend]
impl<R, T, E> StreamKind for R
where
    R: Remote<Return = Result<Stream<T, E>, E>>,
    T: Send + 'static,
    E: Send + 'static,
{
    type Item = T;

    fn item(json: &[u8]) -> Result<T, CallError<E>> {
        let stream = R::RETURNS.decode_item(json).map_err(CallError::Transport)?;
        let item = stream.map_err(CallError::Remote)?.into_one();
        item.ok_or_else(|| CallError::Transport(Error::internal("an item is missing")))
    }
}

/// A job of an endpoint whose types are not known here, such as one written in Python: any JSON.
#[derive(Debug, Clone, Copy)]
pub enum Untyped {}

impl JobKind for Untyped {
    type Output = Value;
    type Error = Error;

    fn output(json: &[u8]) -> Result<Value, CallError<Error>> {
        serde_json::from_slice(json).map_err(|error| CallError::Transport(Error::bad_answer(&error)))
    }

    fn error(wire: WireError) -> CallError<Error> {
        CallError::Remote(Error::from(wire))
    }
}

impl StreamKind for Untyped {
    type Item = Value;

    fn item(json: &[u8]) -> Result<Value, CallError<Error>> {
        Self::output(json)
    }
}

/// A job that was submitted. It goes on whatever becomes of this handle: dropping it cancels nothing.
///
/// [`Call::spawn`](crate::Call::spawn) makes one.
pub struct Job<K> {
    handle: Arc<dyn JobHandle>,
    kind: PhantomData<fn() -> K>,
}

impl<K> Job<K> {
    #[doc(hidden)]
    #[must_use]
    pub fn from_handle(handle: Arc<dyn JobHandle>) -> Self {
        Self { handle, kind: PhantomData }
    }

    /// The job's id, as the platform's logs and its web page show it.
    #[must_use]
    pub fn id(&self) -> &JobId {
        self.handle.id()
    }

    /// Where it stands.
    ///
    /// # Errors
    /// The endpoint does not answer, or no longer keeps the job (`not_found`).
    pub async fn status(&self) -> Result<JobStatus, Error> {
        Ok(self.handle.look().await?.status)
    }

    /// Everything that the platform says of it, with its result as JSON text.
    ///
    /// # Errors
    /// As [`status`](Self::status).
    pub async fn details(&self) -> Result<wire::Job, Error> {
        self.handle.look().await
    }

    /// The latest progress that the function told with [`Context::progress`](crate::Context::progress); `None` before the
    /// first, and after the end.
    ///
    /// # Errors
    /// As [`status`](Self::status); progress of another type is `bad_answer`.
    pub async fn progress<P: DeserializeOwned>(&self) -> Result<Option<P>, Error> {
        let job = self.handle.look().await?;
        match job.output {
            Some(output) if job.status == JobStatus::InProgress => {
                serde_json::from_str(output.get()).map(Some).map_err(|error| Error::bad_answer(&error))
            }
            _ => Ok(None),
        }
    }

    /// Cancels it. Answers where it stands then: a job that had ended before stays as it is.
    ///
    /// # Errors
    /// As [`status`](Self::status).
    pub async fn cancel(&self) -> Result<JobStatus, Error> {
        self.handle.cancel().await
    }

    /// Runs a job that failed or was not done in time once more, with the same arguments and the same id.
    ///
    /// # Errors
    /// It did not fail, or its endpoint no longer keeps it.
    pub async fn retry(&self) -> Result<(), Error> {
        self.handle.retry().await
    }
}

impl<K: JobKind> Job<K> {
    /// Its result, if it has ended.
    ///
    /// # Errors
    /// What the job failed with, or as [`status`](Self::status).
    pub async fn output(&self) -> Result<Option<K::Output>, CallError<K::Error>> {
        let job = self.handle.look().await.map_err(CallError::Transport)?;
        if job.status.is_terminal() { result::<K>(job).map(Some) } else { Ok(None) }
    }

    /// Waits for its end. Not waiting any longer, by dropping the future, leaves the job alone.
    ///
    /// # Errors
    /// What the job failed with, or as [`status`](Self::status).
    pub async fn wait(&self) -> Result<K::Output, CallError<K::Error>> {
        let job = self.handle.end().await.map_err(CallError::Transport)?;
        result::<K>(job)
    }
}

impl<K: StreamKind> Job<K> {
    /// The items of a streaming function that nobody has read yet, as they arrive. A failure of the job is the last one.
    /// The platform hands out each item once.
    pub fn stream(&self) -> Stream<K::Item, CallError<K::Error>>
    where
        K::Error: Send + 'static,
    {
        Self::items(self.handle.stream())
    }

    #[doc(hidden)]
    pub fn items(chunks: ChunkStream) -> Stream<K::Item, CallError<K::Error>>
    where
        K::Error: Send + 'static,
    {
        Stream::new(Items::<K> { chunks: Some(chunks), kind: PhantomData })
    }
}

fn result<K: JobKind>(mut job: wire::Job) -> Result<K::Output, CallError<K::Error>> {
    if job.status == JobStatus::Completed {
        // An output that the platform left out is a `null`.
        let output = job.output.take();
        return K::output(output.as_ref().map_or(b"null", |output| output.get().as_bytes()));
    }
    Err(K::error(failure_of(job)))
}

impl<K> Clone for Job<K> {
    fn clone(&self) -> Self {
        Self { handle: Arc::clone(&self.handle), kind: PhantomData }
    }
}

impl<K> fmt::Debug for Job<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Job").field("id", self.id()).finish_non_exhaustive()
    }
}

/// The typed items of a streaming call or job.
pub(super) struct Items<K> {
    /// `None` after the last.
    pub(super) chunks: Option<ChunkStream>,
    pub(super) kind: PhantomData<fn() -> K>,
}

impl<K: StreamKind> futures_core::Stream for Items<K> {
    type Item = Result<K::Item, CallError<K::Error>>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let Some(chunks) = &mut self.chunks else { return Poll::Ready(None) };
        let item = ready!(chunks.as_mut().poll_next(cx)).map(|chunk| match chunk {
            Ok(json) => K::item(&json),
            Err(CallFailure::Transport(error)) => Err(CallError::Transport(error)),
            Err(CallFailure::Remote(wire)) => Err(K::error(wire)),
        });
        if !matches!(item, Some(Ok(_))) {
            self.chunks = None;
        }
        Poll::Ready(item)
    }
}
