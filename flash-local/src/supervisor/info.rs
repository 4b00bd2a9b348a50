//! What is known of a worker.

use std::fmt;
use std::os::unix::process::ExitStatusExt;
use std::process::ExitStatus;

use flash_core::clock::Timestamp;
use flash_core::ids::{EndpointId, WorkerId};
use serde::{Deserialize, Serialize};

/// How a process ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exit {
    /// Its exit code, unless a signal ended it.
    pub code: Option<i32>,
    /// The signal that ended it.
    pub signal: Option<i32>,
}

impl fmt::Display for Exit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.code, self.signal) {
            (Some(code), _) => write!(f, "exit code {code}"),
            (None, Some(signal)) => write!(f, "signal {signal}"),
            (None, None) => f.write_str("unknown"),
        }
    }
}

impl From<ExitStatus> for Exit {
    fn from(status: ExitStatus) -> Self {
        Self { code: status.code(), signal: status.signal() }
    }
}

/// What a worker is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WorkerState {
    /// Its process runs, but it has not shown itself: no request to the queue, or no healthy answer.
    Starting,
    /// It takes jobs, or its health path answers 200.
    Ready,
    /// It was ready, and its health path says something else now.
    Unhealthy,
    /// It gets no more work and finishes what it has.
    Draining,
    /// It was asked to stop.
    Stopping,
    /// Its process has ended.
    Exited(Exit),
}

impl WorkerState {
    /// Whether the process has not ended.
    pub const fn is_alive(self) -> bool {
        !matches!(self, Self::Exited(_))
    }
}

/// One worker process, alive or not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WorkerInfo {
    /// The worker. Each process is a worker of its own.
    pub id: WorkerId,
    /// Its endpoint.
    pub endpoint: EndpointId,
    /// Its process, which leads a process group of the same number.
    pub pid: u32,
    /// Where an HTTP worker listens.
    pub port: Option<u16>,
    /// When it was started.
    pub started: Timestamp,
    /// What it is doing.
    pub state: WorkerState,
    /// The release that it was started from, counted from 1.
    pub version: u32,
    /// Whether it ended without being asked to.
    pub crashed: bool,
    /// How it came to be.
    pub phases: Phases,
}

/// The phases of a cold start, each with the moment at which it began.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Phases {
    /// Somebody began to wait for a worker: a job, a request, or the endpoint itself.
    pub queued: Timestamp,
    /// The platform began to start it.
    pub starting: Timestamp,
    /// Its process began to run.
    pub initialising: Timestamp,
    /// It was ready for the first time.
    pub ready: Option<Timestamp>,
    /// Its process had ended.
    pub ended: Option<Timestamp>,
}

/// A signal to a worker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signal {
    /// `SIGTERM`, to the worker's process, as a container gets it.
    Terminate,
    /// `SIGKILL`, to the worker and all its children.
    Kill,
    /// `SIGSTOP`, to the worker and all its children: they freeze.
    Freeze,
    /// `SIGCONT`, to the worker and all its children: they go on.
    Thaw,
}
