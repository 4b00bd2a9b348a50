//! What can happen to a job.

use std::sync::Arc;

use flash_core::ids::WorkerId;

use crate::Payload;

/// Something that happened to a job. (Its submission creates its [`JobState`](super::JobState).)
#[derive(Clone, Debug)]
pub enum Event<'a> {
    /// A worker took it from the queue.
    Taken(&'a WorkerId),
    /// A worker reported progress.
    Progress(&'a WorkerId, Option<Payload>),
    /// A worker reported a result.
    Completed(&'a WorkerId, Option<Payload>),
    /// A worker reported a failure, maybe with some output.
    Failed(&'a WorkerId, Arc<str>, Option<Payload>),
    /// The answer that should have handed it to the worker was lost: it was never there.
    Returned(&'a WorkerId),
    /// The worker is gone, or was silent for too long.
    WorkerLost(&'a WorkerId),
    /// What a worker would need of it can not be read any more. The text says why.
    Unreadable(Arc<str>),
    /// The caller does not want it any more.
    Cancel,
    /// The caller wants a failed job to run again.
    Retry,
    /// The caller empties the queue.
    Purge,
    /// Time has passed: whatever is due by now happens.
    Tick,
}
