//! The queue worker: takes jobs, runs them, and brings every result home.
//!
//! A job's way: `intake` takes it from the queue, on a thread that no user function can block; a slot lets it run on
//! the main runtime, where `job` hands it to its function; the `outbox` posts what came of it, from the intake's
//! thread again.

mod arrived;
mod backoff;
mod fitness;
mod function_request;
mod gpu;
mod heartbeat;
mod held;
mod intake;
mod job;
mod lane;
mod life;
mod link;
mod outbox;
mod poster;
mod runner;
mod slots;
mod spool;
mod stops;
mod stream;
mod thread;
mod urls;
mod worker;

pub(crate) use job::{Door, Job};
pub(crate) use life::{Life, attempt};
pub(crate) use stream::{ItemWay, NoWay};
pub use worker::{QueueWorker, QueueWorkerError};
