//! Several processes: the example's own binary, the local platform, real queues.

#![allow(clippy::unwrap_used, reason = "a test that panics has failed, and says where")]

mod faults;
mod linking;
mod mixed;
mod processes;
mod readme;
