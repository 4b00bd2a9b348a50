//! Where jobs are kept. The engine above it knows no storage, and a store knows no waiting: it loads a job, lets the
//! [machine](crate::machine) step, and saves, as one atomic operation.

mod answer;
mod inserted;
mod job_store;
mod listing;
mod memory;
mod new_job;
mod stepped;

pub use answer::Answer;
pub use inserted::Inserted;
pub use job_store::{JobStore, Store};
pub use listing::{Cursor, Held, JobView, Listing, Webhook};
pub use memory::MemoryStore;
pub use new_job::{Attached, IdempotencyKey, NewJob};
pub use stepped::{Claimed, Counts, Drained, Pushed, Stepped, shown};

/// A store that can not do its work.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// There is no room for what was to be kept. Nothing of it was.
    #[error("{0}")]
    Full(String),
    /// What was kept can not be read any more.
    #[error("{0}")]
    Damaged(String),
    /// Anything else.
    #[error("job store failed: {0}")]
    Other(#[source] Box<dyn std::error::Error + Send + Sync>),
}
