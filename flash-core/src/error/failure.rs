use std::error::Error as StdError;
use std::fmt;
use std::sync::Arc;

use serde::Serialize;

use crate::error::{CallError, WireError, code};

/// A failure without a type of its own: what Flash itself reports, and what a function may return when no caller
/// needs to match on it.
///
/// The text of [`source`](StdError::source) stays in this process; only code, message and data travel.
#[derive(Clone)]
pub struct Error {
    // Boxed, so that a `Result` on the path of every job stays small.
    inner: Box<Inner>,
}

#[derive(Clone)]
struct Inner {
    wire: WireError,
    source: Option<Arc<dyn StdError + Send + Sync>>,
}

impl Error {
    /// An error with a stable code and a message for people. Both are sent to the caller.
    pub fn new(code: &'static str, message: impl Into<String>) -> Self {
        Self::from(WireError::new(code, message))
    }

    /// Wraps an error whose text must not reach the caller; it is logged under the request id.
    pub fn internal(source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        Self::from(WireError::new(code::INTERNAL, "internal error")).with_source(source)
    }

    /// Keeps the cause for the log.
    #[must_use]
    pub fn with_source(mut self, source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        self.inner.source = Some(Arc::from(source.into()));
        self
    }

    /// Attaches data that is sent.
    #[must_use]
    pub fn with_data(mut self, data: impl Serialize) -> Self {
        self.inner.wire = self.inner.wire.with_data(data);
        self
    }

    /// The HTTP status to answer with (400 to 599).
    #[must_use]
    pub fn with_status(mut self, status: u16) -> Self {
        self.inner.wire.status = Some(status);
        self
    }

    /// Says that the same call may succeed later.
    #[must_use]
    pub fn retryable(mut self) -> Self {
        self.inner.wire.retryable = true;
        self
    }

    /// Says that the same call can never succeed.
    #[must_use]
    pub fn terminal(mut self) -> Self {
        self.inner.wire.terminal = true;
        self
    }

    /// Says that this worker cannot go on, such as after a GPU was lost: it finishes what runs, delivers it, and exits as
    /// unhealthy, so that the platform replaces it.
    #[must_use]
    pub fn fatal(mut self) -> Self {
        self.inner.wire.fatal = true;
        self
    }

    /// Says that the callee may have got the request although no answer came.
    #[must_use]
    pub fn in_doubt(mut self) -> Self {
        self.inner.wire.in_doubt = true;
        self
    }

    /// Whether the callee may have got the request, and carried it out, although no answer came.
    #[must_use]
    pub fn is_in_doubt(&self) -> bool {
        self.inner.wire.in_doubt
    }

    /// The stable code.
    #[must_use]
    pub fn code(&self) -> &str {
        &self.inner.wire.code
    }

    /// The message for people.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.inner.wire.message
    }

    /// Whether the same call may succeed later.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        self.inner.wire.retryable
    }

    /// Whether the same call can never succeed.
    #[must_use]
    pub fn is_terminal(&self) -> bool {
        self.inner.wire.terminal
    }

    /// What is sent.
    #[must_use]
    pub fn wire(&self) -> &WireError {
        &self.inner.wire
    }

    /// What is sent, by value, with the causes as text for the log.
    #[must_use]
    pub fn into_wire(self) -> WireError {
        let internal = self.chain();
        self.inner.wire.with_internal(internal)
    }

    pub(crate) fn bad_answer(error: &serde_json::Error) -> Self {
        Self::new(code::BAD_ANSWER, format!("the answer does not have the callee's type: {error}"))
    }

    /// The causes as one line, where there are any.
    pub(crate) fn chain(&self) -> Option<String> {
        let mut next = self.source();
        let mut texts = Vec::new();
        while let Some(error) = next {
            texts.push(error.to_string());
            next = error.source();
        }
        if texts.is_empty() { self.inner.wire.internal.clone() } else { Some(texts.join(": ")) }
    }
}

impl From<Error> for WireError {
    fn from(error: Error) -> Self {
        error.into_wire()
    }
}

impl From<WireError> for Error {
    fn from(wire: WireError) -> Self {
        Self { inner: Box::new(Inner { wire, source: None }) }
    }
}

/// `?` on a call inside a function that returns `flash::Error`. Of the upstream failure only code and retryability
/// travel on, because its message was written for this process.
impl<E> From<CallError<E>> for Error
where
    E: crate::RemoteError,
{
    fn from(error: CallError<E>) -> Self {
        let wire = error.into_upstream();
        Self::from(wire)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.message())
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Error")
            .field("code", &self.inner.wire.code)
            .field("message", &self.inner.wire.message)
            .field("source", &self.inner.source)
            .finish_non_exhaustive()
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.inner.source.as_deref().map(|source| source as _)
    }
}
