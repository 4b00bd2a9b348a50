//! What a worker posts to `job-done`: a result, an error, or progress.

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::map::{self, TextOrNot};
use super::{JobStatus, Raw};

/// The body of `job-done`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(bound(serialize = "R: Serialize", deserialize = "R: Deserialize<'de>"))]
pub struct DoneBody<R = Raw> {
    /// `IN_PROGRESS` makes the post a progress report.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub status: Option<String>,
    /// The result, or the progress.
    #[serde(skip_serializing_if = "Option::is_none", default, deserialize_with = "map::present")]
    pub output: Option<R>,
    /// Why the job failed.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub error: Option<DoneError>,
    /// The worker wants to be restarted after this job.
    #[serde(rename = "stopPod", skip_serializing_if = "std::ops::Not::not", default)]
    pub stop_pod: bool,
}

/// The `error` of a [`DoneBody`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DoneError {
    /// The text of the error.
    Text(String),
    /// Not a string. The platform loses it, and the output with it.
    NotText,
}

/// What a [`DoneBody`] means to the platform.
#[derive(Clone, Debug)]
pub enum DoneOutcome<R = Raw> {
    /// The job goes on.
    Progress(Option<R>),
    /// The job ended with this output (`None`: there is none).
    Completed(Option<R>),
    /// The job failed; some output may be there all the same.
    Failed {
        /// Why, never empty.
        error: String,
        /// What the function returned beside the error.
        output: Option<R>,
    },
}

impl<R> DoneBody<R> {
    /// The body that reports a result.
    pub const fn output(output: R) -> Self {
        Self { status: None, output: Some(output), error: None, stop_pod: false }
    }

    /// The body that reports a failure.
    pub fn error(error: impl Into<String>) -> Self {
        Self { status: None, output: None, error: Some(DoneError::Text(error.into())), stop_pod: false }
    }

    /// The body that reports progress.
    pub fn progress(output: R) -> Self {
        let status = Some(JobStatus::InProgress.as_str().to_owned());
        Self { status, output: Some(output), error: None, stop_pod: false }
    }

    /// What the body means to the platform. A non-empty error text fails the job. An error that is not a string is lost,
    /// and the output with it: the job counts as completed (observed: runpod-python issue 299). An empty error counts as none.
    pub fn outcome(self) -> DoneOutcome<R> {
        if self.status.as_deref() == Some(JobStatus::InProgress.as_str()) {
            return DoneOutcome::Progress(self.output);
        }
        match self.error {
            Some(DoneError::Text(error)) if !error.is_empty() => {
                DoneOutcome::Failed { error, output: self.output }
            }
            Some(DoneError::NotText) => DoneOutcome::Completed(None),
            _ => DoneOutcome::Completed(self.output),
        }
    }
}

impl Serialize for DoneError {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Text(text) => serializer.serialize_str(text),
            // The value was not kept. Any non-string says the same.
            Self::NotText => serializer.serialize_bool(true),
        }
    }
}

impl<'de> Deserialize<'de> for DoneError {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(match TextOrNot::deserialize(deserializer)? {
            TextOrNot::Text(text) => Self::Text(text),
            TextOrNot::Null => Self::Text(String::new()),
            TextOrNot::Other => Self::NotText,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outcome(text: &str) -> String {
        let body: DoneBody = serde_json::from_str(text).unwrap();
        let text = |raw: Option<Raw>| raw.map_or("nothing".to_owned(), |raw| raw.get().to_owned());
        match body.outcome() {
            DoneOutcome::Progress(output) => format!("progress {}", text(output)),
            DoneOutcome::Completed(output) => format!("completed {}", text(output)),
            DoneOutcome::Failed { error, output } => format!("failed {error} {}", text(output)),
        }
    }

    /// Bodies that the Python worker was observed to post, and what they mean.
    #[test]
    fn the_observed_bodies_are_understood() {
        for (body, meaning) in [
            (r#"{"output":{"echo":{"a":1},"uni":"é"}}"#, r#"completed {"echo":{"a":1},"uni":"é"}"#),
            (r#"{"output":null}"#, "completed null"),
            (r#"{}"#, "completed nothing"),
            (r#"{"status":"IN_PROGRESS","output":"50%"}"#, r#"progress "50%""#),
            (r#"{"error":"boom"}"#, "failed boom nothing"),
            (r#"{"output":{"x":1},"error":"boom"}"#, r#"failed boom {"x":1}"#),
            (r#"{"output":1,"error":{"code":[1,{"a":null}]}}"#, "completed nothing"),
            (r#"{"output":1,"error":false}"#, "completed nothing"),
            (r#"{"output":1,"error":null}"#, "completed 1"),
            (r#"{"output":1,"error":""}"#, "completed 1"),
            (r#"{"output":[],"unknown":{"a":[1]}}"#, "completed []"),
        ] {
            assert_eq!(outcome(body), meaning, "{body}");
        }
    }

    #[test]
    fn what_we_write_is_what_the_python_worker_writes() {
        let raw = |text: &str| Raw::deserialize(&mut serde_json::Deserializer::from_str(text)).unwrap();
        let text = |body: DoneBody| serde_json::to_string(&body).unwrap();
        assert_eq!(text(DoneBody::output(raw("null"))), r#"{"output":null}"#);
        assert_eq!(text(DoneBody::error("boom")), r#"{"error":"boom"}"#);
        assert_eq!(text(DoneBody::progress(raw("1"))), r#"{"status":"IN_PROGRESS","output":1}"#);
        let stop = DoneBody { stop_pod: true, ..DoneBody::output(raw(r#"{"a":1}"#)) };
        assert_eq!(text(stop), r#"{"output":{"a":1},"stopPod":true}"#);
    }
}
