//! `GET /stream/{id}` of clients and `job-stop` of workers.

use serde::{Deserialize, Serialize};

use super::{JobStatus, Raw};
use crate::ids::JobId;

/// One streamed piece of a result, as the worker posts it and as the client reads it: `{"output": …}`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(bound(serialize = "R: Serialize", deserialize = "R: Deserialize<'de>"))]
pub struct StreamChunk<R = Raw> {
    /// The piece.
    pub output: R,
}

/// The pieces since the last request: `{"status": …, "stream": [{"output": …}]}`.
///
/// The documentation's sample is a bare array; this is the shape that RunPod's own clients read.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(bound(serialize = "R: Serialize", deserialize = "R: Deserialize<'de>"))]
pub struct StreamAnswer<R = Raw> {
    /// Where the job stands. A client is done when this is terminal and `stream` is empty.
    pub status: JobStatus,
    /// The pieces, oldest first.
    #[serde(default = "Vec::new")]
    pub stream: Vec<StreamChunk<R>>,
}

/// The answer to `job-stop`: `{"jobsToStop": ["id", …]}`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct StopAnswer {
    /// Jobs that the worker must stop and for which it must post nothing.
    #[serde(rename = "jobsToStop", default)]
    pub jobs_to_stop: Vec<JobId>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samples_survive() {
        let text = r#"{"status":"IN_PROGRESS","stream":[{"output":{"n":0}},{"output":null}]}"#;
        let answer: StreamAnswer = serde_json::from_str(text).unwrap();
        assert_eq!(serde_json::to_string(&answer).unwrap(), text);
        let text = r#"{"jobsToStop":["a","b-u1"]}"#;
        let answer: StopAnswer = serde_json::from_str(text).unwrap();
        assert_eq!(serde_json::to_string(&answer).unwrap(), text);
    }
}
