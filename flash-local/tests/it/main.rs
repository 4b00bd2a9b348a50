//! The platform with real worker processes.

#![allow(clippy::unwrap_used, reason = "a helper of a test may panic like the test itself")]

mod access;
mod autoscale;
mod gateway;
mod processes;
mod scripted;
mod support;
mod testing;
mod traffic;

#[cfg(feature = "sqlite")]
#[path = "../../../flash-queue/tests/conformance/mod.rs"]
mod conformance;
#[cfg(feature = "sqlite")]
mod crash;
#[cfg(feature = "sqlite")]
mod durable;
#[cfg(feature = "sqlite")]
mod sqlite;
