//! The HTTP worker: one route per function, answered by the same corridor as a job.

mod body;
mod health;
mod query;
mod request;
mod response;
mod router;
mod server;

pub use health::{Health, HealthState};
pub use router::router;
pub use server::{HttpWorker, Listener};

pub(crate) use body::read_all as read_body;
pub(crate) use response::problem;
pub(crate) use server::{HttpError, LOCAL_GRACE, bind_local, serve};
