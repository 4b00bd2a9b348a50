//! Where jobs are kept. The engine above it knows no storage, and a store knows no waiting: it loads a job, lets the
//! [machine](crate::machine) step, and saves, as one atomic operation.

mod answer;
mod job_store;
mod memory;
mod new_job;
mod stepped;

pub use answer::Answer;
pub use job_store::{JobStore, Store};
pub use memory::MemoryStore;
pub use new_job::{Attached, NewJob};
pub use stepped::{Claimed, Counts, Drained, Pushed, Stepped};

/// A store that can not do its work.
#[derive(Debug, thiserror::Error)]
#[error("job store failed: {0}")]
pub struct StoreError(#[source] pub Box<dyn std::error::Error + Send + Sync>);
