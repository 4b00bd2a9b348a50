//! The platform with real worker processes.

#![allow(clippy::unwrap_used, reason = "a helper of a test may panic like the test itself")]

mod access;
mod autoscale;
mod conforms;
mod control;
mod gateway;
mod metrics;
#[cfg(feature = "ui")]
mod page;
mod processes;
mod rest;
mod scripted;
mod support;
mod testing;
mod traffic;

#[path = "../../../flash-queue/tests/conformance/mod.rs"]
mod conformance;
mod crash;
mod durable;
mod full_disk;
mod sqlite;
