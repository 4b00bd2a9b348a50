//! How a process starts: what its environment says, and the role that follows from it.

mod environment;
mod role;

pub use environment::{Boot, BootError, Fitness, JobUrls, Otlp};
pub use role::Role;
