//! The HTTP worker: one route per function, answered by the same corridor as a job.
//!
//! A connection is accepted by `server`, watched over by `watch`, and each of its requests answered by `service`: a
//! declared function through `request`, anything else by an axum router from `mounts`.

mod access;
mod admission;
mod answer;
mod arguments;
mod body;
mod budget;
#[cfg(feature = "multipart")]
mod form;
mod guest;
mod head;
mod health;
mod limits;
mod listener;
mod mounts;
mod others;
mod query;
mod request;
mod response;
mod routes;
mod server;
mod service;
mod socket;
mod stream;
mod vitals;
mod watch;
mod worker;

pub use health::{Health, HealthState};
pub use listener::Listener;
pub use worker::{HttpError, HttpWorker};

pub(crate) use body::Reader;
pub(crate) use budget::Budget;
pub(crate) use limits::Limits;
pub(crate) use listener::bind_local;
pub(crate) use mounts::router as other_routes;
pub(crate) use others::refuse;
pub(crate) use server::serve;
pub(crate) use service::{Service, Sites};
pub(crate) use worker::site;
