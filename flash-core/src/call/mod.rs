//! The calling side: one call, a job that was submitted, and many calls at once.

mod builder;
mod job;
mod local;
mod map;
mod options;
mod repeat;
mod waiting;

pub use builder::{Call, ErrorOf, OutputOf};
pub use job::{Job, JobKind, StreamKind, Untyped};
pub(crate) use local::{LocalJob, LocalRun, Work};
pub use map::{Map, map};
pub use options::{CallOptions, Priority};
pub use waiting::{OnWait, WaitReason, Waiting};
