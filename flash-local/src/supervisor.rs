//! Starts worker processes, watches them, replaces those that die, and stops them.
//!
//! What has to do with processes runs on real time, whatever clock the platform has: a process does not die faster because a
//! test's clock was moved. Only the pauses between two starts follow the platform's clock.

mod backoff;
mod info;
mod keeper;
mod logs;
mod port;
mod process;
mod roster;

pub use info::{Exit, Signal, WorkerInfo, WorkerState};
pub(crate) use keeper::{Keeper, keep};
pub use logs::{LogLine, Source};
pub(crate) use roster::Roster;
