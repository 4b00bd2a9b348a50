//! The queue worker: takes jobs, runs them, and brings every result home.
//!
//! A job's way: `intake` takes it from the queue, on a thread that no user function can block; a slot lets it run on
//! the main runtime, where `job` hands it to its function; the `outbox` posts what came of it, from the intake's
//! thread again.

mod backoff;
mod heartbeat;
mod held;
mod intake;
mod job;
mod lane;
mod link;
mod outbox;
mod slots;
mod stops;
mod urls;
mod worker;

pub(crate) use job::{Job, answer};
pub use worker::{QueueWorker, QueueWorkerError};
