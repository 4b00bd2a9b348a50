//! A worker and its log, as the page shows them.

use flash_core::clock::Timestamp;
use serde::Serialize;

use crate::supervisor::{LogLine, Source, WorkerInfo, WorkerState};

#[derive(Debug, Serialize)]
pub(super) struct WorkerShown {
    id: String,
    pid: u32,
    port: Option<u16>,
    release: u32,
    state: &'static str,
    busy: bool,
    crashed: bool,
    /// How its process ended.
    exit: Option<String>,
    /// The moments of its life, in Unix milliseconds.
    queued: u64,
    starting: u64,
    initialising: u64,
    ready: Option<u64>,
    ended: Option<u64>,
}

impl WorkerShown {
    pub(super) fn of(worker: &WorkerInfo, busy: bool) -> Self {
        let (state, exit) = match worker.state {
            WorkerState::Starting => ("initialising", None),
            WorkerState::Ready => ("ready", None),
            WorkerState::Unhealthy => ("unhealthy", None),
            WorkerState::Draining => ("draining", None),
            WorkerState::Stopping => ("stopping", None),
            WorkerState::Exited(exit) => ("ended", Some(exit.to_string())),
        };
        let phases = worker.phases;
        Self {
            id: worker.id.to_string(),
            pid: worker.pid,
            port: worker.port,
            release: worker.version,
            state,
            busy,
            crashed: worker.crashed,
            exit,
            queued: phases.queued.as_millis(),
            starting: phases.starting.as_millis(),
            initialising: phases.initialising.as_millis(),
            ready: phases.ready.map(Timestamp::as_millis),
            ended: phases.ended.map(Timestamp::as_millis),
        }
    }
}

#[derive(Debug, Serialize)]
pub(super) struct LineShown<'a> {
    number: u64,
    at: u64,
    source: &'static str,
    text: &'a str,
}

pub(super) fn lines(lines: &[LogLine]) -> Vec<LineShown<'_>> {
    let source = |line: &LogLine| match line.source {
        Source::Stdout => "out",
        Source::Stderr => "err",
        Source::System => "system",
    };
    lines
        .iter()
        .map(|line| LineShown {
            number: line.number,
            at: line.at.as_millis(),
            source: source(line),
            text: &line.text,
        })
        .collect()
}
