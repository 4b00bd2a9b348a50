//! The job queue of an endpoint: a pure state machine, a table of limits, storage behind a trait, and the HTTP routes
//! that clients and workers speak.
//!
//! [`Queues`] holds the endpoints of a process, [`Queue`] is one of them, and [`routes`] puts them on a server. A worker in
//! the same process needs no HTTP: it calls [`Queue::take`] and [`Queue::done`].

mod error;
pub mod limits;
pub mod machine;
mod payload;
mod queue;
pub mod routes;
pub mod store;

pub use error::QueueError;
pub use limits::Limits;
pub use payload::Payload;
pub use queue::{
    Contact, Deliver, Load, Operation, Pass, Queue, QueueOptions, Queues, Submission, WorkerSigns,
};
pub use store::{MemoryStore, Store, StoreError};
