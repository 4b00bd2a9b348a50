//! Several processes: the example's own binary, the local platform, real queues.

#![allow(clippy::unwrap_used, reason = "a test that panics has failed, and says where")]

mod calls;
mod deaths;
mod deployed;
mod faults;
mod linking;
mod local_server;
mod metrics;
mod mixed;
mod otlp;
mod processes;
mod queue_worker;
mod readme;
#[allow(dead_code, reason = "its worker inside of a process is for the other tests")]
#[path = "../it/recording_queue.rs"]
mod recording_queue;
mod rolling;
mod ways;
