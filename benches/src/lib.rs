//! What the benchmark programs share: the echo types, their arguments, a bare client, guards, process figures and percentiles.
//!
//! The programs are in `src/bin`; `cargo xtask bench` builds them, starts them and compares their figures.

pub mod args;
pub mod client;
pub mod clock;
pub mod echo;
pub mod guard;
pub mod latency;
pub mod process;
pub mod wire;
