//! The way of HTTP requests to workers: `/lb/{endpoint}/…`.
//!
//! A request goes to a worker whose health path answers 200, and waits for one when there is none. It is handed over once:
//! only when no byte of it can have reached a worker, another one is tried.

mod affinity;
mod answer;
mod backend;
mod body;
mod connections;
mod forward;
mod headers;
mod pool;
mod upgrade;

pub(crate) use answer::refusal;
pub(crate) use backend::{Backend, Health};
pub(crate) use connections::{Connections, Failure};
pub(crate) use forward::{Gateway, routes};
pub(crate) use pool::Pool;
