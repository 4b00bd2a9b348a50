//! What travels between clients, the queue and workers: RunPod's JSON shapes, for all who write or read them.
//!
//! Shapes that carry a payload are generic over how it is held: `Box<RawValue>` owns it, `&RawValue` borrows it from the
//! text it was read from. A payload is never parsed here. `null` is a payload; an absent key is `None`.

mod done;
mod function;
pub mod headers;
mod health;
mod job;
mod map;
mod policy;
mod request;
pub mod sse;
mod status;
mod stream;
mod taken;

pub use done::{DoneBody, DoneError, DoneOutcome};
pub use function::{FunctionRequest, FunctionResponse};
pub use health::{Health, HealthJobs, HealthWorkers, PurgeAnswer};
pub use job::Job;
pub use policy::Policy;
pub use request::{RunAccepted, RunRequest};
pub use status::JobStatus;
pub use stream::{StopAnswer, StreamAnswer, StreamChunk};
pub use taken::TakenJob;

/// A payload that owns its text.
pub type Raw = Box<serde_json::value::RawValue>;
