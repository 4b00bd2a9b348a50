//! The queue as its callers, its workers and time see it.

mod auth;
mod http;
mod leases;
mod machine;
mod protocol;
mod refusals;
mod rng;
mod store;
mod support;
mod time;
