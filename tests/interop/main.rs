//! The platform's own Python SDK, as client and as worker, against the local platform; then our worker, held to the same.
//!
//! The SDK is installed by `cargo xtask setup`, in one exact version.

#![allow(clippy::unwrap_used, reason = "a test that panics has failed, and says where")]

mod client;
mod control;
mod python;
mod recorder;
mod wire;
mod worker;
