//! All workers of a platform, the living and the last of the dead.

use std::collections::{HashMap, VecDeque};
use std::io;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use flash_core::clock::{Clock, Timestamp};
use flash_core::ids::{EndpointId, WorkerId};
use flash_queue::Limits;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::archive::{Archive, Past};
use super::info::{Exit, Phases, Signal, WorkerInfo, WorkerState};
use super::logs::{LogLine, Logs};
use super::process::Group;
use super::record::Birth;

/// Dead workers that are listed, and whose last lines are in memory.
const DEAD_MAX: usize = 100;

/// One worker on the list.
#[derive(Debug)]
pub(crate) struct Entry {
    pub(crate) id: WorkerId,
    pub(crate) endpoint: EndpointId,
    pub(super) pid: u32,
    pub(super) port: Option<u16>,
    pub(crate) version: u32,
    pub(super) group: Group,
    pub(crate) logs: Logs,
    /// Asks it to stop for good.
    pub(super) stop: CancellationToken,
    /// Asks it to finish what it has, and to stop then.
    pub(super) drain: CancellationToken,
    /// The folder that it was started in.
    #[cfg_attr(
        not(feature = "control-plane"),
        expect(dead_code, reason = "only a control plane removes such folders")
    )]
    dir: Option<PathBuf>,
    inner: Mutex<Inner>,
}

#[derive(Debug)]
struct Inner {
    state: WorkerState,
    phases: Phases,
    unhealthy: Option<Timestamp>,
    crashed: bool,
}

impl Entry {
    pub(super) fn new(birth: &Birth, logs: Logs, stop: CancellationToken, dir: Option<PathBuf>) -> Self {
        let inner =
            Inner { state: WorkerState::Starting, phases: birth.phases(), unhealthy: None, crashed: false };
        Self { dir, ..Self::with(birth, Group::of(birth.pid), logs, stop, inner) }
    }

    /// A worker of an earlier platform. Its process is gone, and its number may be somebody else's.
    pub(super) fn past(past: &Past, logs: Logs) -> Self {
        let Past { birth, ready, ended, exit, crashed, .. } = past;
        let phases = Phases { ready: *ready, ended: Some(*ended), ..birth.phases() };
        let inner = Inner { state: WorkerState::Exited(*exit), phases, unhealthy: None, crashed: *crashed };
        Self::with(birth, Group::gone(), logs, CancellationToken::new(), inner)
    }

    fn with(birth: &Birth, group: Group, logs: Logs, stop: CancellationToken, inner: Inner) -> Self {
        Self {
            id: birth.worker.clone(),
            endpoint: birth.endpoint.clone(),
            pid: birth.pid,
            port: birth.port,
            version: birth.version,
            group,
            logs,
            drain: stop.child_token(),
            stop,
            dir: None,
            inner: Mutex::new(inner),
        }
    }

    pub(crate) fn state(&self) -> WorkerState {
        self.lock().state
    }

    pub(crate) fn phases(&self) -> Phases {
        self.lock().phases
    }

    /// It takes work. Answers whether it does so for the first time.
    pub(super) fn is_ready(&self, now: Timestamp) -> bool {
        let mut inner = self.lock();
        inner.unhealthy = None;
        let first = inner.phases.ready.is_none();
        inner.phases.ready.get_or_insert(now);
        first
    }

    pub(super) fn is_unhealthy(&self, now: Timestamp) {
        self.lock().unhealthy.get_or_insert(now);
    }

    /// For how long it has been unhealthy. `None`: it is not.
    pub(super) fn unhealthy_for(&self, now: Timestamp) -> Option<Duration> {
        Some(now.since(self.lock().unhealthy?))
    }

    pub(crate) fn info(&self) -> WorkerInfo {
        let Inner { state, phases, crashed, .. } = *self.lock();
        WorkerInfo {
            id: self.id.clone(),
            endpoint: self.endpoint.clone(),
            pid: self.pid,
            port: self.port,
            started: phases.starting,
            state,
            version: self.version,
            crashed,
            phases,
        }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[derive(Debug, Default)]
pub(crate) struct Roster {
    /// By start, oldest first.
    entries: Mutex<VecDeque<Arc<Entry>>>,
    /// Counts changes.
    changes: watch::Sender<u64>,
    /// How many workers of each endpoint were started, and how many of them ended without being asked to.
    totals: Mutex<HashMap<EndpointId, (u64, u64)>>,
}

impl Roster {
    /// A list that begins with the workers of earlier platforms.
    pub(crate) fn after(archive: &Archive, limits: &Limits, clock: &Clock) -> Self {
        let past = archive.past();
        let youngest = past.iter().skip(past.len().saturating_sub(DEAD_MAX));
        let entry = |past: &Past| {
            let logs = Logs::past(limits.log_lines, clock.clone(), past.path.clone());
            Arc::new(Entry::past(past, logs))
        };
        Self { entries: Mutex::new(youngest.map(entry).collect()), ..Self::default() }
    }

    pub(super) fn add(&self, entry: Entry) -> Arc<Entry> {
        let entry = Arc::new(entry);
        self.count(&entry.endpoint, |(started, _)| *started += 1);
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
            let mut inner = entry.lock();
            let is_later = match inner.state {
                WorkerState::Exited(_) => false,
                WorkerState::Stopping => !state.is_alive(),
                WorkerState::Draining => state == WorkerState::Stopping || !state.is_alive(),
                current => current != state,
            };
            if !is_later {
                return;
            }
            inner.state = state;
        }
        self.changed();
    }

    pub(super) fn exited(&self, entry: &Entry, exit: Exit, now: Timestamp) {
        let (crashed, ready) = {
            let mut inner = entry.lock();
            inner.phases.ended = Some(now);
            inner.crashed = inner.state != WorkerState::Stopping;
            (inner.crashed, inner.phases.ready)
        };
        if crashed {
            self.count(&entry.endpoint, |(_, crashed)| *crashed += 1);
        }
        entry.logs.ended(exit, crashed, ready, now);
        self.set(entry, WorkerState::Exited(exit));
    }

    /// How many workers of an endpoint were started by this platform, and how many of them ended without being asked to.
    pub(crate) fn totals(&self, endpoint: &EndpointId) -> (u64, u64) {
        let totals = self.totals.lock().unwrap_or_else(PoisonError::into_inner);
        totals.get(endpoint).copied().unwrap_or_default()
    }

    fn count(&self, endpoint: &EndpointId, add: impl FnOnce(&mut (u64, u64))) {
        add(self.totals.lock().unwrap_or_else(PoisonError::into_inner).entry(endpoint.clone()).or_default());
    }

    pub(crate) fn workers(&self) -> Vec<WorkerInfo> {
        self.lock().iter().map(|entry| entry.info()).collect()
    }

    /// The folders that living workers were started in.
    #[cfg(feature = "control-plane")]
    pub(crate) fn dirs(&self) -> Vec<PathBuf> {
        let living = self.lock();
        living.iter().filter(|entry| entry.state().is_alive()).filter_map(|entry| entry.dir.clone()).collect()
    }

    pub(crate) fn logs(&self, worker: &str) -> Option<Vec<LogLine>> {
        Some(self.find(worker)?.logs.lines())
    }

    /// Up to `most` lines that a worker of `endpoint` wrote after the one of this number.
    #[cfg(feature = "ui")]
    pub(crate) fn log_after(
        &self,
        worker: &str,
        endpoint: &EndpointId,
        number: u64,
        most: usize,
    ) -> Vec<LogLine> {
        let entry = self.find(worker).filter(|entry| entry.endpoint == *endpoint);
        entry.map(|entry| entry.logs.after(number, most)).unwrap_or_default()
    }

    /// The log of a worker, to be followed.
    #[cfg(feature = "control-plane")]
    pub(crate) fn log_of(&self, worker: &str) -> Option<Logs> {
        Some(self.find(worker)?.logs.clone())
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
