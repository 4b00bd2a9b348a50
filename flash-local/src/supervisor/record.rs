//! A line of a worker's log on the disk.

use flash_core::clock::Timestamp;
use flash_core::ids::{EndpointId, WorkerId};
use serde::{Deserialize, Serialize};

use super::info::{Exit, Phases};
use super::logs::LogLine;

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Record {
    Born(Birth),
    Line(LogLine),
    /// It was ready for the first time.
    Ready(Timestamp),
    Ended {
        at: Timestamp,
        ready: Option<Timestamp>,
        #[serde(flatten)]
        exit: Exit,
        crashed: bool,
    },
}

/// How a worker came to be.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Birth {
    pub(super) worker: WorkerId,
    pub(super) endpoint: EndpointId,
    pub(super) pid: u32,
    pub(super) port: Option<u16>,
    pub(super) version: u32,
    pub(super) queued: Timestamp,
    pub(super) starting: Timestamp,
    pub(super) initialising: Timestamp,
}

impl Birth {
    pub(super) fn phases(&self) -> Phases {
        let Self { queued, starting, initialising, .. } = *self;
        Phases { queued, starting, initialising, ready: None, ended: None }
    }
}
