use std::fmt;
use std::future::{Future, IntoFuture};
use std::marker::PhantomData;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use crate::app::App;
use crate::encode::FieldWriter;
use crate::error::{CallError, Error, code};
use crate::meta::DoorKind;
use crate::remote::{IsResult, Remote};
use crate::scope::Scope;
use crate::stream::Stream;
use crate::transport::{CallFailure, CallRequest, ChunkStream};

/// What a call of `R` succeeds with.
pub type OutputOf<R> = <<R as Remote>::Return as IsResult>::Ok;
/// What a call of `R` fails with.
pub type ErrorOf<R> = CallError<<<R as Remote>::Return as IsResult>::Err>;

/// Largest arguments, in bytes: `/runsync` takes 20 MB, an HTTP endpoint 30 MB (platform contract A.4 and C).
const fn argument_limit(door: DoorKind) -> usize {
    match door {
        // The wrapper `{"input": …}` and what Flash adds to it count too.
        DoorKind::Queue => 20_000_000 - 1_000,
        DoorKind::Http => 30_000_000,
    }
}

/// A call of a remote function. Nothing happens until it is awaited.
///
/// Where it goes is decided then: to this process when it owns the function's endpoint or nothing is deployed, else to
/// the deployed endpoint.
#[must_use = "a call does nothing until it is awaited"]
pub struct Call<R: Remote> {
    args: R::Args,
    timeout: Option<Duration>,
}

impl<R: Remote> Call<R> {
    #[doc(hidden)]
    pub fn new(args: R::Args) -> Self {
        Self { args, timeout: None }
    }

    /// Bounds the whole call, of a streaming function up to its last item. Without it the endpoint's own times apply, and
    /// the caller's deadline.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = Some(timeout);
        self
    }

    fn request(self) -> Result<CallRequest, Error> {
        let app =
            App::current().map_err(|errors| Error::new(code::INTERNAL, errors.to_string()).terminal())?;
        let mut fields = FieldWriter::new(argument_limit(R::META.door()));
        R::encode(&self.args, &mut fields);
        let input = fields.finish()?;
        Ok(CallRequest { caller: Scope::current(), callee: R::META, input, timeout: self.timeout, app })
    }
}

impl<R, T, E> Call<R>
where
    R: Remote<Return = Result<Stream<T, E>, E>>,
    T: Send + 'static,
    E: Send + 'static,
{
    /// The items of a streaming function, as they arrive. The call begins when the first one is asked for, and is
    /// cancelled when the stream is dropped before its end. A failure is the last item: the function's own error, whether
    /// it failed at once or in the middle, or a failure of the transport.
    ///
    /// Awaiting the call instead waits for the whole stream, and gives it with all its items, or the error in it.
    pub fn stream(self) -> Stream<T, CallError<E>> {
        match self.request() {
            Ok(request) => {
                let chunks = request.app.transport().clone().stream(request);
                Stream::new(Items::<R> { chunks: Some(chunks), callee: PhantomData })
            }
            Err(error) => Stream::iter([Err(CallError::Transport(error))]),
        }
    }
}

/// The typed items of a streaming call.
struct Items<R> {
    /// `None` after the last.
    chunks: Option<ChunkStream>,
    callee: PhantomData<fn() -> R>,
}

impl<R, T, E> futures_core::Stream for Items<R>
where
    R: Remote<Return = Result<Stream<T, E>, E>>,
{
    type Item = Result<T, CallError<E>>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let Some(chunks) = &mut self.chunks else { return Poll::Ready(None) };
        let returned = match ready!(chunks.as_mut().poll_next(cx)) {
            None => {
                self.chunks = None;
                return Poll::Ready(None);
            }
            Some(Ok(json)) => R::RETURNS.decode_item(&json),
            Some(Err(CallFailure::Transport(error))) => Err(error),
            Some(Err(CallFailure::Remote(wire))) => R::RETURNS.decode_error(wire).map_err(Error::from),
        };
        let item = match returned {
            Ok(Ok(stream)) => stream
                .into_one()
                .ok_or_else(|| CallError::Transport(Error::new(code::INTERNAL, "an item is missing"))),
            Ok(Err(error)) => Err(CallError::Remote(error)),
            Err(error) => Err(CallError::Transport(error)),
        };
        if item.is_err() {
            self.chunks = None;
        }
        Poll::Ready(Some(item))
    }
}

impl<R: Remote<Return: IsResult>> Call<R> {
    /// Waits for the answer in a blocking function or a plain `main`.
    ///
    /// # Errors
    /// As awaiting it.
    ///
    /// # Panics
    /// Inside of an `async` function, where waiting would block every other task: `.await` it there.
    pub fn wait(self) -> Result<OutputOf<R>, ErrorOf<R>> {
        let future = self.into_future();
        if let Ok(handle) = tokio::runtime::Handle::try_current() {
            return handle.block_on(future);
        }
        match tokio::runtime::Builder::new_current_thread().enable_all().build() {
            Ok(runtime) => runtime.block_on(future),
            Err(error) => Err(CallError::Transport(Error::internal(error))),
        }
    }

    async fn send(self) -> Result<OutputOf<R>, ErrorOf<R>> {
        let request = self.request().map_err(CallError::Transport)?;
        let transport = Arc::clone(request.app.transport());
        match transport.call(request).await {
            Ok(json) => R::RETURNS.decode(&json),
            Err(CallFailure::Transport(error)) => Err(error),
            Err(CallFailure::Remote(wire)) => R::RETURNS.decode_error(wire).map_err(Error::from),
        }
        .map_err(CallError::Transport)?
        .into_result()
        .map_err(CallError::Remote)
    }
}

impl<R: Remote<Return: IsResult>> IntoFuture for Call<R> {
    type Output = Result<OutputOf<R>, ErrorOf<R>>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.send())
    }
}

impl<R: Remote> fmt::Debug for Call<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Call")
            .field("callee", &R::META.name)
            .field("timeout", &self.timeout)
            .finish_non_exhaustive()
    }
}
