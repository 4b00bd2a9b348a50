//! A job on its way into a store.

use std::sync::Arc;

use flash_core::ids::JobId;
use flash_core::wire::Policy;

use crate::Payload;
use crate::machine::Terms;

/// What a caller may send beside the input. Most jobs have none of it, so it is kept apart.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Attached {
    /// A URL that wants to hear of the job's end.
    pub webhook: Option<String>,
    /// The caller's time limits, as the worker sees them.
    pub policy: Option<Policy>,
    /// All other keys, handed to the worker as they are (`s3Config`, `batchId`, …).
    pub extra: Vec<(String, Payload)>,
    /// What makes handing it in a second time the same as once. Workers do not see it.
    pub key: Option<IdempotencyKey>,
}

/// A caller's name for a job, and what tells whether a second job of that name is the same one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IdempotencyKey {
    /// The name, as the caller chose it. Its scope is the endpoint.
    pub name: String,
    /// A hash of the job's input, the same in every process.
    pub fingerprint: u64,
}

/// A job to be queued.
#[derive(Clone, Debug)]
pub struct NewJob {
    /// Its id, fresh.
    pub id: JobId,
    /// What the function gets. `None`: the worker gets no `input` key.
    pub input: Option<Payload>,
    /// What came with it.
    pub attached: Option<Arc<Attached>>,
    /// Its times.
    pub terms: Terms,
}
