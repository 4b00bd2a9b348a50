//! The queue as its callers, its workers and time see it.

#![allow(clippy::unwrap_used, reason = "a helper of a test may panic like the test itself")]

#[path = "../conformance/mod.rs"]
mod conformance;

mod auth;
mod fairness;
mod http;
mod idempotency;
mod leases;
mod machine;
mod parity;
mod protocol;
mod rates;
mod refusals;
mod retirement;
mod rng;
mod store;
mod support;
mod time;
mod webhooks;
