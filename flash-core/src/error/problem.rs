use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::error::{FieldError, WireError, code};

/// A failure as an HTTP body: a problem document (RFC 9457, `application/problem+json`) with the typed fields beside.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Problem {
    /// Always `about:blank`: the code says more than a link could.
    #[serde(rename = "type", default = "about_blank")]
    pub kind: String,
    /// The status in words.
    pub title: String,
    /// The HTTP status.
    pub status: u16,
    /// The message for people.
    pub detail: String,
    /// The stable code.
    pub code: String,
    /// What belongs to the code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data: Option<Value>,
    /// Every field that was wrong.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<FieldError>,
    /// Whether the same call may succeed later.
    #[serde(default)]
    pub retryable: bool,
    /// Whether the same call can never succeed.
    #[serde(default)]
    pub terminal: bool,
    /// Names the request in the log.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
}

fn about_blank() -> String {
    "about:blank".to_owned()
}

impl From<&WireError> for Problem {
    fn from(error: &WireError) -> Self {
        let status = error.http_status();
        let errors = if error.code == code::INVALID_INPUT { error.field_errors() } else { Vec::new() };
        Self {
            kind: about_blank(),
            title: title(status).to_owned(),
            status,
            detail: error.message.clone(),
            code: error.code.clone().into_owned(),
            // The fields stand in `errors`; twice would be noise.
            data: if errors.is_empty() { error.data.clone() } else { None },
            errors,
            retryable: error.retryable,
            terminal: error.terminal,
            request_id: error.request_id.clone(),
        }
    }
}

impl From<Problem> for WireError {
    fn from(problem: Problem) -> Self {
        let mut wire = Self::new(problem.code, problem.detail);
        wire.data = if problem.errors.is_empty() {
            problem.data
        } else {
            Some(serde_json::json!({ "fields": problem.errors }))
        };
        wire.status = Some(problem.status);
        wire.retryable = problem.retryable;
        wire.terminal = problem.terminal;
        wire.request_id = problem.request_id;
        wire
    }
}

fn title(status: u16) -> &'static str {
    match status {
        400 => "Bad Request",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        408 => "Request Timeout",
        409 => "Conflict",
        413 => "Payload Too Large",
        415 => "Unsupported Media Type",
        422 => "Unprocessable Content",
        429 => "Too Many Requests",
        500 => "Internal Server Error",
        502 => "Bad Gateway",
        503 => "Service Unavailable",
        504 => "Gateway Timeout",
        status if status < 500 => "Request Failed",
        _ => "Server Error",
    }
}
