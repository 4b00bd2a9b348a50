use std::any::Any;
use std::fmt;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::task::{Context, Poll};

use crate::encode::Encoded;
use crate::error::{Error, WireError, code};
use crate::fields::Fields;
use crate::registry::Registration;
use crate::remote::Remote;
use crate::scope::Scope;

/// How an invocation ends.
pub type Outcome = Result<Encoded, WireError>;

type BoxFuture = Pin<Box<dyn Future<Output = Outcome> + Send>>;

/// A function with its types erased: decodes at once, because fields borrow from the request, and gives the rest of
/// the way as a future. `None` when a field was wrong; the fields know which.
pub(crate) type Handler = fn(&mut Fields<'_>, Scope, usize) -> Option<BoxFuture>;

/// The only code that exists once per function, so it does nothing but connect.
pub(crate) fn handler<R: Remote>(fields: &mut Fields<'_>, scope: Scope, limit: usize) -> Option<BoxFuture> {
    let args = R::decode(fields)?;
    Some(Box::pin(async move {
        match R::invoke(args, scope).await {
            Err(error) => Err(error.into_wire()),
            Ok(returned) => R::RETURNS.encode(returned, limit),
        }
    }))
}

impl Registration {
    /// Decodes the arguments and prepares the invocation. A result over `limit` bytes fails it.
    ///
    /// # Errors
    /// `invalid_input` that names every field that is wrong.
    pub fn start(&self, mut fields: Fields<'_>, scope: Scope, limit: usize) -> Result<Running, WireError> {
        // The function may panic before its first await, in a default expression or a user's `Deserialize`.
        let handler = self.handler;
        let decoded = {
            let fields = &mut fields;
            let scope = scope.clone();
            catch_unwind(AssertUnwindSafe(move || handler(fields, scope, limit)))
        };
        let future = decoded.map_err(|panic| panicked(&*panic))?;
        fields.finish(self.meta.params)?;
        match future {
            Some(future) => Ok(Running { future, scope }),
            None => Err(WireError::new(code::INTERNAL, "the arguments could not be decoded")),
        }
    }
}

/// An invocation whose arguments fit.
pub struct Running {
    future: BoxFuture,
    scope: Scope,
}

impl Running {
    /// Runs it to its end. A panic is a failure of this invocation and of nothing else; the deadline ends it.
    pub async fn run(self) -> Outcome {
        let deadline = self.scope.deadline();
        let clock = self.scope.app().clock().clone();
        let scope = self.scope.clone();
        let guarded = self.scope.enter(Guarded { future: self.future });
        let outcome = match deadline {
            None => guarded.await,
            Some(deadline) => clock.timeout_at(deadline, guarded).await.unwrap_or_else(|_| {
                Err(WireError::new(code::TIMEOUT, "the function did not finish before its deadline"))
            }),
        };
        if let Err(error) = &outcome {
            log_failure(&scope, error);
        }
        outcome
    }
}

/// What is kept from the caller stands here, under the request id that the caller got.
#[cold]
fn log_failure(scope: &Scope, error: &WireError) {
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
    future: BoxFuture,
}

impl Future for Guarded {
    type Output = Outcome;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Outcome> {
        // Unwind safety: after a panic the future is never polled again, only dropped.
        match catch_unwind(AssertUnwindSafe(|| self.future.as_mut().poll(cx))) {
            Ok(poll) => poll,
            Err(panic) => Poll::Ready(Err(panicked(&*panic))),
        }
    }
}

/// What the caller sees of a panic says nothing about the inside; the text goes to the log.
fn panicked(panic: &(dyn Any + Send)) -> WireError {
    let text = panic
        .downcast_ref::<&str>()
        .map(|text| (*text).to_owned())
        .or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "a value that is no text".to_owned());
    WireError::new(code::PANIC, "the function panicked").with_internal(format!("panicked: {text}"))
}

/// Runs a blocking function on the blocking pool, inside of the current scope.
pub(crate) async fn blocking<T: Send + 'static>(f: impl FnOnce() -> T + Send + 'static) -> Result<T, Error> {
    let scope = Scope::current();
    // A thread cannot be stopped from outside, so the job's slot stays occupied until the function has really ended.
    let hold = scope.as_ref().and_then(Scope::control).map(|control| control.hold());
    let joined = tokio::task::spawn_blocking(move || {
        let _hold = hold;
        match scope {
            Some(scope) => scope.enter_blocking(f),
            None => f(),
        }
    })
    .await;
    match joined {
        Ok(value) => Ok(value),
        Err(error) if error.is_panic() => std::panic::resume_unwind(error.into_panic()),
        Err(_) => Err(Error::new(code::DRAINING, "the worker stopped before the function ran").retryable()),
    }
}
