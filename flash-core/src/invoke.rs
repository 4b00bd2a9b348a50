use std::any::Any;
use std::fmt;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::task::{Context, Poll};

use crate::carry::Written;
use crate::encode::{Encoded, ReplyForm};
use crate::error::{Error, WireError, code};
use crate::fields::Fields;
use crate::registry::Registration;
use crate::remote::Remote;
use crate::scope::Scope;
use crate::stream::{Chunks, Produced};

/// How an invocation ends, or how one item of a stream does.
pub type Outcome = Result<Encoded, WireError>;

/// A function on its way. The expansion boxes it, so that each function has one future and not another one around it.
pub type Invocation = Pin<Box<dyn Future<Output = Result<Written, WireError>> + Send>>;

/// A function with its types erased: decodes at once, because fields borrow from the request, and gives the rest of
/// the way as a future. `None` when a field was wrong; the fields know which.
pub(crate) type Handler = fn(&mut Fields<'_>, Scope, ReplyForm) -> Option<Invocation>;

/// The only code that exists once per function, so it does nothing but connect.
pub(crate) fn handler<R: Remote>(
    fields: &mut Fields<'_>,
    scope: Scope,
    form: ReplyForm,
) -> Option<Invocation> {
    Some(R::invoke(R::decode(fields)?, scope, form))
}

impl Registration {
    /// Decodes the arguments and prepares the invocation. A result over the limit of `form` fails it; of a stream, each item has
    /// the limit [`CHUNK_LIMIT`](crate::CHUNK_LIMIT).
    ///
    /// # Errors
    /// `invalid_input` that names every field that is wrong.
    pub fn start(
        &self,
        mut fields: Fields<'_>,
        scope: Scope,
        form: impl Into<ReplyForm>,
    ) -> Result<Running, WireError> {
        let form = form.into();
        // The function may panic before its first await, in a default expression or a user's `Deserialize`.
        let handler = self.handler;
        let decoded = {
            let fields = &mut fields;
            let scope = scope.clone();
            catch_unwind(AssertUnwindSafe(move || handler(fields, scope, form)))
        };
        let future = decoded.map_err(|panic| panicked(&*panic))?;
        fields.finish(self.meta.params)?;
        match future {
            Some(future) => Ok(Running { future, scope, form }),
            None => Err(WireError::new(code::INTERNAL, "the arguments could not be decoded")),
        }
    }
}

/// An invocation whose arguments fit.
pub struct Running {
    future: Invocation,
    scope: Scope,
    form: ReplyForm,
}

impl Running {
    /// What surrounds the invocation.
    #[must_use]
    pub fn scope(&self) -> &Scope {
        &self.scope
    }

    /// Runs the function to its end. A panic is a failure of this invocation and of nothing else; the deadline ends it.
    ///
    /// What a streaming function gives are the [`Chunks`] of its stream, in which it goes on.
    ///
    /// # Errors
    /// What the function failed with, or what kept it from ending.
    pub async fn run(self) -> Result<Produced, WireError> {
        let deadline = self.scope.deadline();
        let clock = self.scope.app().clock().clone();
        let scope = self.scope.clone();
        let guarded = self.scope.enter(Guarded { future: self.future });
        let outcome = match deadline {
            None => guarded.await,
            Some(deadline) => {
                clock.timeout_at(deadline, guarded).await.unwrap_or_else(|_| Err(out_of_time()))
            }
        };
        match outcome {
            Ok(Written::Value(encoded)) => Ok(Produced::Value(encoded)),
            Ok(Written::Stream(producer)) => Ok(Produced::Stream(Chunks::new(producer, scope))),
            Err(error) => {
                log_failure(&scope, &error);
                Err(error)
            }
        }
    }

    /// Runs it to its end, and gives the reply in one piece: a stream as a JSON array of its items.
    ///
    /// # Errors
    /// What the function or its stream failed with, or what kept it from ending.
    pub async fn run_whole(self) -> Outcome {
        let limit = self.form.limit();
        match self.run().await? {
            Produced::Value(encoded) => Ok(encoded),
            Produced::Stream(chunks) => chunks.collect(limit).await,
        }
    }
}

#[cold]
pub(crate) fn out_of_time() -> WireError {
    WireError::new(code::TIMEOUT, "the function did not finish before its deadline")
}

/// What is kept from the caller stands here, under the request id that the caller got.
#[cold]
pub(crate) fn log_failure(scope: &Scope, error: &WireError) {
    let function = scope.function().map_or("", |meta| meta.name);
    let request_id = scope.request_id();
    match &error.internal {
        Some(cause) => tracing::error!(request_id, function, code = %error.code, cause, "{}", error.message),
        None => tracing::info!(request_id, function, code = %error.code, "failed: {}", error.message),
    }
}

impl fmt::Debug for Running {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Running").field("scope", &self.scope).finish_non_exhaustive()
    }
}

/// Turns a panic inside of the future into its output.
struct Guarded {
    future: Invocation,
}

impl Future for Guarded {
    type Output = Result<Written, WireError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        // Unwind safety: after a panic the future is never polled again, only dropped.
        match catch_unwind(AssertUnwindSafe(|| self.future.as_mut().poll(cx))) {
            Ok(poll) => poll,
            Err(panic) => Poll::Ready(Err(panicked(&*panic))),
        }
    }
}

/// What the caller sees of a panic says nothing about the inside; the text goes to the log.
pub(crate) fn panicked(panic: &(dyn Any + Send)) -> WireError {
    let text = panic
        .downcast_ref::<&str>()
        .map(|text| (*text).to_owned())
        .or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "a value that is no text".to_owned());
    WireError::new(code::PANIC, "the function panicked").with_internal(format!("panicked: {text}"))
}

/// Runs a blocking function on the blocking pool, inside of the current scope.
pub(crate) async fn blocking<T: Send + 'static>(f: impl FnOnce() -> T + Send + 'static) -> Result<T, Error> {
    match crate::scope::spawn_blocking(f).await {
        Ok(value) => Ok(value),
        Err(error) if error.is_panic() => std::panic::resume_unwind(error.into_panic()),
        Err(_) => Err(Error::new(code::DRAINING, "the worker stopped before the function ran").retryable()),
    }
}
