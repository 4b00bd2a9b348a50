//! What became of a new job.

use flash_core::clock::Timestamp;
use flash_core::ids::JobId;

/// What became of a job that was to be inserted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Inserted {
    /// It is in the queue.
    New {
        /// When time alone will do something to it.
        due: Timestamp,
    },
    /// The same job was handed in before under the same idempotency key. Nothing was inserted.
    Existing(JobId),
    /// Another job was handed in before under the same idempotency key. Nothing was inserted.
    KeyReused(JobId),
}
