//! A job as a worker gets it from `job-take`.

use std::fmt;
use std::marker::PhantomData;

use serde::de::{Error, MapAccess, Visitor};
use serde::ser::SerializeMap;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{Policy, Raw, map};
use crate::ids::JobId;

/// The envelope of a job. Only `id` is certain: the platform drops an empty `input`, and adds keys as it likes.
#[derive(Clone, Debug)]
pub struct TakenJob<R = Raw> {
    /// The job.
    pub id: JobId,
    /// What the function gets. Absent when the caller sent `{}`, because the platform strips an empty object.
    pub input: Option<R>,
    /// Milliseconds that the job waited in the queue.
    pub delay_time: Option<u64>,
    /// The caller's webhook. The platform calls it, not the worker.
    pub webhook: Option<String>,
    /// The caller's time limits.
    pub policy: Option<Policy>,
    /// All other keys, in their order (`s3Config`, `batchId`, `retries`, …).
    pub extra: Vec<(String, R)>,
}

impl<R> TakenJob<R> {
    /// A job with nothing but its id and input.
    pub const fn new(id: JobId, input: Option<R>) -> Self {
        Self { id, input, delay_time: None, webhook: None, policy: None, extra: Vec::new() }
    }
}

impl<R: Serialize> Serialize for TakenJob<R> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut object = serializer.serialize_map(None)?;
        object.serialize_entry("id", &self.id)?;
        if let Some(input) = &self.input {
            object.serialize_entry("input", input)?;
        }
        if let Some(delay_time) = self.delay_time {
            object.serialize_entry("delayTime", &delay_time)?;
        }
        if let Some(webhook) = &self.webhook {
            object.serialize_entry("webhook", webhook)?;
        }
        if let Some(policy) = &self.policy {
            object.serialize_entry("policy", policy)?;
        }
        for (key, value) in &self.extra {
            object.serialize_entry(key, value)?;
        }
        object.end()
    }
}

impl<'de, R: Deserialize<'de>> Deserialize<'de> for TakenJob<R> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct JobVisitor<R>(PhantomData<R>);
        impl<'de, R: Deserialize<'de>> Visitor<'de> for JobVisitor<R> {
            type Value = TakenJob<R>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a job: an object with an id")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<TakenJob<R>, A::Error> {
                let mut id = None;
                let mut job = TakenJob::new(JobId::from(""), None);
                while let Some(map::Key(key)) = entries.next_key()? {
                    match &*key {
                        "id" => id = Some(entries.next_value()?),
                        "input" => job.input = Some(entries.next_value()?),
                        "delayTime" => job.delay_time = entries.next_value()?,
                        "webhook" => job.webhook = entries.next_value()?,
                        "policy" => job.policy = entries.next_value()?,
                        _ => job.extra.push((key.into_owned(), entries.next_value()?)),
                    }
                }
                job.id = id.ok_or_else(|| A::Error::missing_field("id"))?;
                Ok(job)
            }
        }
        deserializer.deserialize_map(JobVisitor(PhantomData))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samples_survive() {
        for sample in [
            r#"{"id":"b9b0-u1","input":{"a": 1},"delayTime":273894}"#,
            r#"{"id":"b9b0-u1"}"#,
            r#"{"id":"b9b0-u1","input":null,"webhook":"https://example.com","policy":{"ttl":10000},"s3Config":{"accessId":"a"},"batchId":"batch_1","retries":1}"#,
        ] {
            let job: TakenJob = serde_json::from_str(sample).unwrap();
            assert_eq!(serde_json::to_string(&job).unwrap(), sample);
        }
    }

    #[test]
    fn only_the_id_is_required() {
        let error = serde_json::from_str::<TakenJob>(r#"{"input":{}}"#).unwrap_err().to_string();
        assert!(error.contains("missing field `id`"), "{error}");
    }
}
