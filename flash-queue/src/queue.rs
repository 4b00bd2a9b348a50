//! The engine over a store and a clock: it adds waiting, waking, leases and timers to what the store remembers.

mod admission;
mod client;
mod handle;
mod measures;
mod options;
mod queues;
mod submission;
mod timers;
mod waiters;
mod webhooks;
mod worker;
mod workers;

pub use admission::{Operation, Pass};
pub use handle::Queue;
pub use options::QueueOptions;
pub use queues::Queues;
pub use submission::Submission;
pub use webhooks::Deliver;
pub use worker::Load;
pub use workers::{Contact, WorkerSigns};
