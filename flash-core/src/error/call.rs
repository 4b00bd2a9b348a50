use std::fmt;

use crate::error::{Error, WireError, code};
use crate::remote::RemoteError;

/// Why a remote call failed: the callee said so, or no usable answer came.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum CallError<E> {
    /// The function ran and returned this error.
    Remote(E),
    /// The function's own answer did not arrive: bad arguments, a panic, a time-out, an unreachable peer, or a
    /// failure that is none of `E`'s.
    Transport(Error),
}

impl<E> CallError<E> {
    /// A failure of another endpoint of which only the code is known.
    #[must_use]
    pub fn upstream(code: String, retryable: bool) -> Self {
        let mut wire = WireError::new(code, "a call to another endpoint failed");
        wire.retryable = retryable;
        Self::Transport(Error::from(wire))
    }

    /// The callee's own error.
    #[must_use]
    pub fn remote(&self) -> Option<&E> {
        match self {
            Self::Remote(error) => Some(error),
            Self::Transport(_) => None,
        }
    }
}

impl<E: RemoteError> CallError<E> {
    /// The code of the failure, the callee's or the transport's.
    #[must_use]
    pub fn code(&self) -> String {
        match self {
            Self::Remote(error) => error.to_wire().code.into_owned(),
            Self::Transport(error) => error.code().to_owned(),
        }
    }

    /// Whether the same call may succeed later.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        match self {
            Self::Remote(error) => error.to_wire().retryable,
            Self::Transport(error) => error.is_retryable(),
        }
    }

    /// The failure as this process passes it on: code and retryability, and a generic message.
    #[must_use]
    pub fn into_upstream(self) -> WireError {
        let wire = match self {
            Self::Remote(error) => error.to_wire(),
            Self::Transport(error) => error.into_wire(),
        };
        let internal = match &wire.internal {
            Some(internal) => format!("{}: {internal}", wire.message),
            None => wire.message.clone(),
        };
        let upstream = &*wire.code;
        let mut passed_on =
            WireError::new(code::UPSTREAM, format!("a call to another endpoint failed ({upstream})"))
                .with_data(serde_json::json!({ "code": upstream }))
                .with_internal(internal);
        passed_on.retryable = wire.retryable;
        passed_on
    }
}

impl<E: fmt::Display> fmt::Display for CallError<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Remote(error) => error.fmt(f),
            Self::Transport(error) => error.fmt(f),
        }
    }
}

impl<E: std::error::Error + 'static> std::error::Error for CallError<E> {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Remote(error) => error.source(),
            Self::Transport(error) => error.source(),
        }
    }
}
