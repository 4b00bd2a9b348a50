//! `POST /run` and `POST /runsync`.

use std::fmt;
use std::marker::PhantomData;

use serde::de::{Error, MapAccess, Visitor};
use serde::ser::SerializeMap;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{JobStatus, Policy, Raw, map};
use crate::ids::JobId;

/// The body of `/run` and `/runsync`. Unknown keys survive reading and writing.
#[derive(Clone, Debug)]
pub struct RunRequest<R = Raw> {
    /// What the function gets. `None` when the key is absent, which a queue refuses.
    pub input: Option<R>,
    /// A URL that gets the job object once, when the job has ended.
    pub webhook: Option<String>,
    /// Time limits and priority.
    pub policy: Option<Policy>,
    /// A bucket for the worker's files, passed through to the worker.
    pub s3_config: Option<R>,
    /// All other keys, in their order.
    pub extra: Vec<(String, R)>,
}

impl<R> Default for RunRequest<R> {
    fn default() -> Self {
        Self { input: None, webhook: None, policy: None, s3_config: None, extra: Vec::new() }
    }
}

impl<R> RunRequest<R> {
    /// A request with nothing but its input.
    pub fn new(input: R) -> Self {
        Self { input: Some(input), ..Self::default() }
    }
}

impl<R: Serialize> Serialize for RunRequest<R> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut object = serializer.serialize_map(None)?;
        if let Some(input) = &self.input {
            object.serialize_entry("input", input)?;
        }
        if let Some(webhook) = &self.webhook {
            object.serialize_entry("webhook", webhook)?;
        }
        if let Some(policy) = &self.policy {
            object.serialize_entry("policy", policy)?;
        }
        if let Some(s3_config) = &self.s3_config {
            object.serialize_entry("s3Config", s3_config)?;
        }
        for (key, value) in &self.extra {
            object.serialize_entry(key, value)?;
        }
        object.end()
    }
}

impl<'de, R: Deserialize<'de>> Deserialize<'de> for RunRequest<R> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct RequestVisitor<R>(PhantomData<R>);
        impl<'de, R: Deserialize<'de>> Visitor<'de> for RequestVisitor<R> {
            type Value = RunRequest<R>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(r#"an object like {"input": …}"#)
            }

            fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<RunRequest<R>, A::Error> {
                let mut request = RunRequest::default();
                while let Some(map::Key(key)) = entries.next_key()? {
                    match &*key {
                        "input" if request.input.is_some() => return Err(A::Error::duplicate_field("input")),
                        "input" => request.input = Some(entries.next_value()?),
                        "webhook" => request.webhook = entries.next_value()?,
                        "policy" => request.policy = entries.next_value()?,
                        "s3Config" => request.s3_config = Some(entries.next_value()?),
                        _ => request.extra.push((key.into_owned(), entries.next_value()?)),
                    }
                }
                Ok(request)
            }
        }
        deserializer.deserialize_map(RequestVisitor(PhantomData))
    }
}

/// The answer to `/run`, `/retry`, `/cancel`, and to a `/runsync` that is not done after its wait.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunAccepted {
    /// The job.
    pub id: JobId,
    /// Where it stands.
    pub status: JobStatus,
}

#[cfg(test)]
mod tests {
    use serde_json::value::RawValue;

    use super::*;

    const DOCUMENTED: &str = r#"{"input":{"prompt":"a  cat"},"webhook":"https://example.com/hook","policy":{"executionTimeout":600000,"lowPriority":false,"ttl":86400000},"s3Config":{"accessId":"a","accessSecret":"b","bucketName":"c","endpointUrl":"d"},"webhookV2":"x","n":[1, 2]}"#;

    #[test]
    fn the_documented_body_survives() {
        let request: RunRequest = serde_json::from_str(DOCUMENTED).unwrap();
        assert_eq!(request.input.as_ref().unwrap().get(), r#"{"prompt":"a  cat"}"#);
        assert_eq!(request.webhook.as_deref(), Some("https://example.com/hook"));
        let policy =
            Policy { execution_timeout: Some(600_000), low_priority: Some(false), ttl: Some(86_400_000) };
        assert_eq!(request.policy, Some(policy));
        assert_eq!(request.extra[1].1.get(), "[1, 2]");
        assert_eq!(serde_json::to_string(&request).unwrap(), DOCUMENTED);
    }

    #[test]
    fn a_payload_is_borrowed_where_that_is_asked_for() {
        let request: RunRequest<&RawValue> = serde_json::from_str(DOCUMENTED).unwrap();
        let start = request.input.unwrap().get().as_ptr() as usize - DOCUMENTED.as_ptr() as usize;
        assert_eq!(start, r#"{"input":"#.len());
    }

    #[test]
    fn null_is_an_input_and_nothing_is_none() {
        let input = |text| serde_json::from_str::<RunRequest>(text).unwrap().input;
        assert_eq!(input(r#"{"input":null}"#).unwrap().get(), "null");
        assert!(input(r#"{"x":1}"#).is_none());
        assert!(serde_json::from_str::<RunRequest>(r#"{"input":1,"input":2}"#).is_err());
        assert!(serde_json::from_str::<RunRequest>("[1]").is_err());
    }

    #[test]
    fn the_answer_has_two_keys() {
        let answer: RunAccepted = serde_json::from_str(r#"{"id":"c80-u1","status":"IN_QUEUE"}"#).unwrap();
        assert_eq!(serde_json::to_string(&answer).unwrap(), r#"{"id":"c80-u1","status":"IN_QUEUE"}"#);
    }
}
