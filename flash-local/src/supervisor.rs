//! Starts worker processes, watches them, replaces those that die, and stops them.
//!
//! What has to do with processes runs on real time, whatever clock the platform has: a process does not die faster because a
//! test's clock was moved. Only the pauses between two starts follow the platform's clock.

mod archive;
mod backoff;
mod decide;
mod fleet;
mod info;
mod logs;
mod plan;
mod port;
mod process;
mod record;
mod roster;
mod shim;
mod worker;

pub(crate) use archive::Archive;
pub(crate) use fleet::fleet;
pub use info::{Exit, Phases, Signal, WorkerInfo, WorkerState};
#[cfg(feature = "control-plane")]
pub(crate) use logs::Logs;
pub use logs::{LogLine, Source};
pub(crate) use plan::Plan;
pub(crate) use roster::Roster;
pub(crate) use worker::is_own;
