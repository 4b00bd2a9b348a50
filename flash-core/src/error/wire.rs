use std::borrow::Cow;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::error::{FieldError, code};

/// What crosses the wire when a function fails.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct WireError {
    /// Stable, machine-readable, `snake_case`.
    pub code: Cow<'static, str>,
    /// For people.
    pub message: String,
    /// What belongs to the code, such as the fields of an enum's variant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data: Option<Value>,
    /// The HTTP status, where the error has one of its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// Whether the same call may succeed later.
    #[serde(default)]
    pub retryable: bool,
    /// Whether the same call can never succeed.
    #[serde(default)]
    pub terminal: bool,
    /// Names the request in the callee's log.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
    /// Whether this worker cannot go on; never sent.
    #[serde(skip)]
    pub fatal: bool,
    /// Whether the callee may have got the request although no answer came; never sent.
    #[serde(skip)]
    pub in_doubt: bool,
    /// For the log of this process only; never sent.
    #[serde(skip)]
    pub internal: Option<String>,
}

impl WireError {
    /// An error that is neither retryable nor terminal.
    pub fn new(code: impl Into<Cow<'static, str>>, message: impl Into<String>) -> Self {
        Self {
            code: code.into(),
            message: message.into(),
            data: None,
            status: None,
            retryable: false,
            terminal: false,
            request_id: None,
            fatal: false,
            in_doubt: false,
            internal: None,
        }
    }

    /// Arguments that do not fit, all at once.
    #[must_use]
    pub fn invalid_input(fields: &[FieldError]) -> Self {
        let message = fields.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ");
        Self::new(code::INVALID_INPUT, message)
            .with_status(422)
            .with_data(serde_json::json!({ "fields": fields }))
            .terminal()
    }

    /// Attaches data; a value that JSON cannot hold is left out.
    #[must_use]
    pub fn with_data(mut self, data: impl Serialize) -> Self {
        self.data = serde_json::to_value(data).ok();
        self
    }

    /// Sets the HTTP status (400 to 599).
    #[must_use]
    pub fn with_status(mut self, status: u16) -> Self {
        self.status = Some(status);
        self
    }

    /// Says that the same call may succeed later.
    #[must_use]
    pub fn retryable(mut self) -> Self {
        self.retryable = true;
        self
    }

    /// Says that the same call can never succeed.
    #[must_use]
    pub fn terminal(mut self) -> Self {
        self.terminal = true;
        self
    }

    /// Says that this worker cannot go on.
    #[must_use]
    pub fn fatal(mut self) -> Self {
        self.fatal = true;
        self
    }

    /// Keeps text for this process's log.
    #[must_use]
    pub fn with_internal(mut self, text: impl Into<Option<String>>) -> Self {
        self.internal = text.into();
        self
    }

    /// Takes the data out as `T`; `None` when there is none or it is something else.
    pub fn take_data<T: DeserializeOwned>(&mut self) -> Option<T> {
        // Left in place on a mismatch, so that the opaque error still carries it.
        let value = serde_json::from_value(self.data.clone()?).ok()?;
        self.data = None;
        Some(value)
    }

    /// The fields that were wrong, for `invalid_input`.
    #[must_use]
    pub fn field_errors(&self) -> Vec<FieldError> {
        self.data
            .as_ref()
            .and_then(|data| data.get("fields"))
            .and_then(|fields| Vec::deserialize(fields).ok())
            .unwrap_or_default()
    }

    /// The HTTP status that the error is answered with.
    #[must_use]
    pub fn http_status(&self) -> u16 {
        if let Some(status) = self.status {
            return status;
        }
        match &*self.code {
            code::INVALID_JSON | code::INVALID_REQUEST => 400,
            code::INVALID_INPUT => 422,
            code::UNAUTHORIZED => 401,
            code::UNKNOWN_FUNCTION | code::NOT_FOUND => 404,
            code::METHOD_NOT_ALLOWED => 405,
            code::REQUEST_TIMEOUT => 408,
            code::PAYLOAD_TOO_LARGE => 413,
            code::UNSUPPORTED_MEDIA_TYPE => 415,
            code::UPSTREAM | code::BAD_ANSWER | code::NO_ADDRESS => 502,
            code::UNREACHABLE | code::RATE_LIMITED | code::DRAINING | code::OVERLOADED => 503,
            code::TIMEOUT => 504,
            _ => 500,
        }
    }
}
