//! The job object: what `/status` and `/runsync` answer and what a webhook gets.

use serde::{Deserialize, Deserializer, Serialize};

use super::{JobStatus, Raw, map};
use crate::ids::{JobId, WorkerId};

/// A job as the platform shows it. Absent keys are `None` and are not written.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[serde(bound(serialize = "R: Serialize", deserialize = "R: Deserialize<'de>"))]
pub struct Job<R = Raw> {
    /// The job.
    pub id: JobId,
    /// Where it stands.
    pub status: JobStatus,
    /// Milliseconds that it waited for its (last) worker.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub delay_time: Option<u64>,
    /// Milliseconds that its (last) worker needed.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub execution_time: Option<u64>,
    /// Its (last) worker.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub worker_id: Option<WorkerId>,
    /// The result; while the job is in progress, the latest progress report.
    #[serde(skip_serializing_if = "Option::is_none", default, deserialize_with = "map::present")]
    pub output: Option<R>,
    /// Why it failed.
    #[serde(skip_serializing_if = "Option::is_none", default, deserialize_with = "error_text")]
    pub error: Option<String>,
    /// How often the platform dispatched it again because its worker was lost. Absent when it never did.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub retries: Option<u32>,
}

impl<R> Job<R> {
    /// A job of which nothing else is known.
    pub const fn new(id: JobId, status: JobStatus) -> Self {
        Self {
            id,
            status,
            delay_time: None,
            execution_time: None,
            worker_id: None,
            output: None,
            error: None,
            retries: None,
        }
    }
}

/// Reads `error`, which is documented as a string; anything else is kept as its JSON text rather than lost.
fn error_text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    let raw = Raw::deserialize(deserializer)?;
    Ok(match serde_json::from_str::<Option<String>>(raw.get()) {
        Ok(text) => text,
        Err(_) => Some(raw.get().to_owned()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_documented_samples_survive() {
        for sample in [
            r#"{"id":"60902e6c-u1","status":"COMPLETED","delayTime":824,"executionTime":3391,"workerId":"abc123","output":{"n": 1}}"#,
            r#"{"id":"j-u1","status":"COMPLETED","output":null}"#,
            r#"{"id":"j-u1","status":"IN_QUEUE"}"#,
            r#"{"id":"j-u1","status":"IN_PROGRESS","delayTime":31,"workerId":"w"}"#,
            r#"{"id":"j-u1","status":"FAILED","delayTime":101050,"executionTime":42078,"workerId":"w","error":"job timed out after 1 retries","retries":1}"#,
        ] {
            let job: Job = serde_json::from_str(sample).unwrap();
            assert_eq!(serde_json::to_string(&job).unwrap(), sample);
        }
    }

    #[test]
    fn an_error_of_another_type_is_kept_as_text() {
        let error = |text: &str| {
            let text = format!(r#"{{"id":"j","status":"FAILED","error":{text},"unknown":[1]}}"#);
            serde_json::from_str::<Job>(&text).unwrap().error
        };
        assert_eq!(error(r#""a\nb""#).as_deref(), Some("a\nb"));
        assert_eq!(error(r#"{"code": 1}"#).as_deref(), Some(r#"{"code": 1}"#));
        assert_eq!(error("null"), None);
    }
}
