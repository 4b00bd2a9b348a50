use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::error::{WireError, code};
use crate::wire::{Job, JobStatus};

/// The `error` of a failed job: a string that holds this object as JSON. The first six keys are the Python worker's
/// (platform contract B.6); `flash` is what a typed caller reads.
#[derive(Serialize, Deserialize)]
struct QueueError {
    error_type: String,
    error_message: String,
    #[serde(default)]
    error_traceback: String,
    #[serde(default)]
    hostname: String,
    #[serde(default)]
    worker_id: String,
    #[serde(default)]
    runpod_version: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    flash: Option<Typed>,
}

#[derive(Serialize, Deserialize)]
struct Typed {
    code: String,
    #[serde(default)]
    data: Option<Value>,
    #[serde(default)]
    retryable: bool,
    #[serde(default)]
    terminal: bool,
    #[serde(default)]
    request_id: Option<String>,
}

/// The text that a worker posts as a failed job's `error`.
#[must_use]
pub fn to_error_string(error: &WireError, hostname: &str, worker_id: &str) -> String {
    let form = QueueError {
        error_type: error.code.clone().into_owned(),
        error_message: error.message.clone(),
        error_traceback: String::new(),
        hostname: hostname.to_owned(),
        worker_id: worker_id.to_owned(),
        runpod_version: concat!("flash-", env!("CARGO_PKG_VERSION")).to_owned(),
        flash: Some(Typed {
            code: error.code.clone().into_owned(),
            data: error.data.clone(),
            retryable: error.retryable,
            terminal: error.terminal,
            request_id: error.request_id.clone(),
        }),
    };
    // Strings and a JSON value always encode.
    serde_json::to_string(&form).unwrap_or_else(|_| error.message.clone())
}

/// Reads what [`to_error_string`] or a Python worker posted. Anything else is an opaque failure with that text.
#[must_use]
pub fn from_error_string(text: &str) -> WireError {
    let Ok(form) = serde_json::from_str::<QueueError>(text) else {
        return WireError::new(code::FAILED, text);
    };
    let Some(typed) = form.flash else {
        return WireError::new(code::FAILED, form.error_message);
    };
    let mut wire = WireError::new(typed.code, form.error_message);
    wire.data = typed.data;
    wire.retryable = typed.retryable;
    wire.terminal = typed.terminal;
    wire.request_id = typed.request_id;
    wire
}

/// A job that ended without success, as the error of its function.
#[must_use]
pub fn failure_of<R>(job: Job<R>) -> WireError {
    match job.status {
        JobStatus::Cancelled => WireError::new(code::CANCELLED, "the job was cancelled"),
        JobStatus::TimedOut => {
            let text = job.error.unwrap_or_else(|| "the job was not finished in its time".to_owned());
            WireError::new(code::TIMEOUT, text)
        }
        _ => match job.error {
            Some(text) => from_error_string(&text),
            None => WireError::new(code::FAILED, "the job failed without a reason"),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_typed_error_survives_the_string() {
        let mut error = WireError::new("too_short", "text is too short").with_data([1, 2]).retryable();
        error.request_id = Some("j1".to_owned());
        assert_eq!(from_error_string(&to_error_string(&error, "host", "worker")), error);
    }

    #[test]
    fn a_python_error_keeps_its_message() {
        let text = r#"{"error_type":"<class 'ValueError'>","error_message":"boom","error_traceback":"…"}"#;
        let error = from_error_string(text);
        assert_eq!((&*error.code, &*error.message), ("failed", "boom"));
    }

    #[test]
    fn any_other_text_is_opaque() {
        assert_eq!(
            from_error_string("job timed out after 1 retries").message,
            "job timed out after 1 retries"
        );
    }
}
