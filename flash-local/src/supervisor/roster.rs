//! All workers of a platform, the living and the last of the dead.

use std::collections::VecDeque;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use flash_core::clock::Timestamp;
use flash_core::ids::{EndpointId, WorkerId};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::info::{Exit, Signal, WorkerInfo, WorkerState};
use super::logs::{LogLine, Logs};
use super::process::Group;

/// Dead workers whose logs are kept.
const DEAD_MAX: usize = 100;

/// One worker on the list.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) id: WorkerId,
    pub(super) endpoint: EndpointId,
    pub(super) pid: u32,
    pub(super) port: Option<u16>,
    pub(super) started: Timestamp,
    pub(super) group: Group,
    pub(super) logs: Logs,
    /// Asks it to stop for good.
    pub(super) stop: CancellationToken,
    state: Mutex<WorkerState>,
}

impl Entry {
    pub(super) fn new(
        id: WorkerId,
        endpoint: EndpointId,
        pid: u32,
        port: Option<u16>,
        started: Timestamp,
        logs: Logs,
        stop: CancellationToken,
    ) -> Self {
        let state = Mutex::new(WorkerState::Starting);
        Self { id, endpoint, pid, port, started, group: Group::of(pid), logs, stop, state }
    }

    pub(super) fn state(&self) -> WorkerState {
        *self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn info(&self) -> WorkerInfo {
        WorkerInfo {
            id: self.id.clone(),
            endpoint: self.endpoint.clone(),
            pid: self.pid,
            port: self.port,
            started: self.started,
            state: self.state(),
        }
    }
}

#[derive(Debug, Default)]
pub(crate) struct Roster {
    /// By start, oldest first.
    entries: Mutex<VecDeque<Arc<Entry>>>,
    /// Counts changes.
    changes: watch::Sender<u64>,
}

impl Roster {
    pub(super) fn add(&self, entry: Entry) -> Arc<Entry> {
        let entry = Arc::new(entry);
        let mut entries = self.lock();
        entries.push_back(entry.clone());
        let dead = entries.iter().filter(|entry| !entry.state().is_alive()).count();
        if dead > DEAD_MAX
            && let Some(oldest) = entries.iter().position(|entry| !entry.state().is_alive())
        {
            entries.remove(oldest);
        }
        drop(entries);
        self.changed();
        entry
    }

    /// Moves a worker to another state. One that has ended, or was asked to stop, does not get ready any more.
    pub(super) fn set(&self, entry: &Entry, state: WorkerState) {
        {
            let mut current = entry.state.lock().unwrap_or_else(PoisonError::into_inner);
            let is_later = match *current {
                WorkerState::Exited(_) => false,
                WorkerState::Stopping => !state.is_alive(),
                _ => *current != state,
            };
            if !is_later {
                return;
            }
            *current = state;
        }
        self.changed();
    }

    pub(super) fn exited(&self, entry: &Entry, exit: Exit) {
        self.set(entry, WorkerState::Exited(exit));
    }

    pub(crate) fn workers(&self) -> Vec<WorkerInfo> {
        self.lock().iter().map(|entry| entry.info()).collect()
    }

    pub(crate) fn logs(&self, worker: &str) -> Option<Vec<LogLine>> {
        Some(self.find(worker)?.logs.lines())
    }

    /// Sends a signal. `None`: there is no such worker, or it has ended.
    pub(crate) fn signal(&self, worker: &str, signal: Signal) -> io::Result<Option<()>> {
        match self.find(worker) {
            Some(entry) => Ok(entry.group.signal(signal)?.then_some(())),
            None => Ok(None),
        }
    }

    /// Asks a worker to stop for good. `None`: there is no such worker, or it has ended.
    pub(crate) fn stop(&self, worker: &str) -> Option<()> {
        let entry = self.find(worker).filter(|entry| entry.state().is_alive())?;
        entry.stop.cancel();
        Some(())
    }

    /// Kills everything at once, for a platform that is dropped.
    pub(crate) fn kill_all(&self) {
        for entry in self.lock().iter() {
            entry.group.ended();
        }
    }

    pub(crate) fn watch(&self) -> watch::Receiver<u64> {
        self.changes.subscribe()
    }

    fn find(&self, worker: &str) -> Option<Arc<Entry>> {
        self.lock().iter().find(|entry| entry.id == *worker).cloned()
    }

    fn changed(&self) {
        self.changes.send_modify(|count| *count += 1);
    }

    fn lock(&self) -> MutexGuard<'_, VecDeque<Arc<Entry>>> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
