//! The workers of an endpoint, as far as they show themselves.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;

use flash_core::clock::Timestamp;
use flash_core::ids::{JobId, WorkerId};
use flash_core::wire::HealthWorkers;
use tokio::sync::{Notify, RwLockReadGuard, watch};

use super::Queue;

/// One worker.
#[derive(Debug, Default)]
pub(super) struct Worker {
    /// Whether it has come yet, or is only expected.
    joined: AtomicBool,
    /// Whether silence means that it is lost. Not so for workers in this process.
    leased: AtomicBool,
    /// When it was heard of last, in Unix milliseconds.
    seen: AtomicU64,
    /// Requests of it that are held open. As long as there is one, it lives.
    open: AtomicUsize,
    unhealthy: AtomicBool,
    /// It wants to be restarted (`stopPod`).
    refresh: AtomicBool,
    /// Takes of it that are open.
    takes: AtomicUsize,
    /// It gets no more jobs. Whoever gives it some reads this until he is done, so once it is set nothing is on its way.
    retired: tokio::sync::RwLock<bool>,
    /// Wakes a take that is held.
    pub(super) retire_ready: Notify,
    /// When it took or answered a job last, in Unix milliseconds.
    worked: AtomicU64,
    stops: Mutex<Vec<JobId>>,
    pub(super) stop_ready: Notify,
}

/// A worker, as far as it has shown itself to the queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WorkerSigns {
    /// Whether it has made a request.
    pub joined: bool,
    /// Whether it reported that it is broken.
    pub unhealthy: bool,
    /// Whether it asked for a new start with its last result (`stopPod`).
    pub refresh: bool,
    /// When it took or answered a job last.
    pub worked: Option<Timestamp>,
}

/// Jobs that wait to be stopped by a worker that never asks, at most.
const STOPS_MAX: usize = 1_000;

impl Worker {
    pub(super) fn take_stops(&self) -> Vec<JobId> {
        std::mem::take(&mut *self.stops.lock().unwrap_or_else(PoisonError::into_inner))
    }

    pub(super) fn stop(&self, id: &JobId) {
        {
            let mut stops = self.stops.lock().unwrap_or_else(PoisonError::into_inner);
            if stops.len() == STOPS_MAX {
                stops.remove(0);
            }
            stops.push(id.clone());
        }
        self.stop_ready.notify_one();
    }

    pub(super) fn mark_unhealthy(&self) {
        self.unhealthy.store(true, Ordering::Relaxed);
    }

    pub(super) fn is_unhealthy(&self) -> bool {
        self.unhealthy.load(Ordering::Relaxed)
    }

    /// It gets no more jobs; what was about to be given to it is given, and then this returns.
    pub(super) async fn retire(&self) {
        *self.retired.write().await = true;
        self.retire_ready.notify_waiters();
    }

    /// The right to give it jobs, as long as this is held. `None`: it gets no more.
    pub(super) async fn giving(&self) -> Option<RwLockReadGuard<'_, bool>> {
        let retired = self.retired.read().await;
        (!*retired).then_some(retired)
    }

    pub(super) fn works(&self, now: Timestamp) {
        self.worked.store(now.as_millis(), Ordering::Relaxed);
    }

    fn signs(&self) -> WorkerSigns {
        let worked = self.worked.load(Ordering::Relaxed);
        WorkerSigns {
            joined: self.joined.load(Ordering::Relaxed),
            unhealthy: self.is_unhealthy(),
            refresh: self.refresh.load(Ordering::Relaxed),
            worked: (worked > 0).then(|| Timestamp::from_millis(worked)),
        }
    }

    /// Whether this was its first sign of life.
    fn mark_joined(&self) -> bool {
        !self.joined.load(Ordering::Relaxed) && !self.joined.swap(true, Ordering::AcqRel)
    }

    /// When it counts as lost, if it goes on being silent.
    fn lost_at(&self, lease: Duration) -> Option<Timestamp> {
        let silent = self.leased.load(Ordering::Relaxed) && self.open.load(Ordering::Acquire) == 0;
        silent.then(|| Timestamp::from_millis(self.seen.load(Ordering::Acquire)) + lease)
    }
}

#[derive(Debug, Default)]
pub(super) struct Workers {
    table: RwLock<HashMap<WorkerId, Arc<Worker>>>,
    /// Counts what workers did that others wait for: that they came, that they are unhealthy, that they want a restart.
    changes: watch::Sender<u64>,
}

/// An open take of a worker. As long as it is open, the worker has a share in what is queued.
#[derive(Debug)]
pub(super) struct Taking(pub(super) Arc<Worker>);

impl Drop for Taking {
    fn drop(&mut self) {
        self.0.takes.fetch_sub(1, Ordering::AcqRel);
    }
}

impl Workers {
    /// The worker, which is known from now on.
    pub(super) fn get(&self, id: &WorkerId) -> Arc<Worker> {
        if let Some(worker) = self.table.read().unwrap_or_else(PoisonError::into_inner).get(id) {
            return worker.clone();
        }
        self.table.write().unwrap_or_else(PoisonError::into_inner).entry(id.clone()).or_default().clone()
    }

    /// The worker, which has come.
    pub(super) fn joined(&self, id: &WorkerId) -> Arc<Worker> {
        let worker = self.get(id);
        if worker.mark_joined() {
            self.changed();
        }
        worker
    }

    pub(super) fn has_joined(&self, id: &WorkerId) -> bool {
        let table = self.table.read().unwrap_or_else(PoisonError::into_inner);
        table.get(id).is_some_and(|worker| worker.joined.load(Ordering::Relaxed))
    }

    /// The worker, if it is known.
    pub(super) fn find(&self, id: &WorkerId) -> Option<Arc<Worker>> {
        self.table.read().unwrap_or_else(PoisonError::into_inner).get(id).cloned()
    }

    pub(super) fn signs(&self, id: &WorkerId) -> Option<WorkerSigns> {
        self.find(id).map(|worker| worker.signs())
    }

    pub(super) fn watch(&self) -> watch::Receiver<u64> {
        self.changes.subscribe()
    }

    fn changed(&self) {
        self.changes.send_modify(|count| *count += 1);
    }

    pub(super) fn mark_unhealthy(&self, id: &WorkerId) {
        self.joined(id).mark_unhealthy();
        self.changed();
    }

    pub(super) async fn mark_refresh(&self, id: &WorkerId) {
        let worker = self.joined(id);
        worker.refresh.store(true, Ordering::Relaxed);
        // The next job is not for a process that is about to go, not even one that it asks for at this moment.
        worker.retire().await;
        self.changed();
    }

    pub(super) fn is_unhealthy(&self, id: &WorkerId) -> bool {
        let table = self.table.read().unwrap_or_else(PoisonError::into_inner);
        table.get(id).is_some_and(|worker| worker.is_unhealthy())
    }

    pub(super) fn wants_refresh(&self, id: &WorkerId) -> bool {
        let table = self.table.read().unwrap_or_else(PoisonError::into_inner);
        table.get(id).is_some_and(|worker| worker.refresh.load(Ordering::Relaxed))
    }

    /// A worker wants jobs.
    pub(super) fn taking(&self, id: &WorkerId) -> Taking {
        let worker = self.joined(id);
        worker.takes.fetch_add(1, Ordering::AcqRel);
        Taking(worker)
    }

    /// How many workers want jobs.
    pub(super) fn takers(&self) -> usize {
        let table = self.table.read().unwrap_or_else(PoisonError::into_inner);
        table.values().filter(|worker| worker.takes.load(Ordering::Acquire) > 0).count()
    }

    /// How many workers are there and healthy.
    pub(super) fn ready(&self) -> usize {
        let table = self.table.read().unwrap_or_else(PoisonError::into_inner);
        let ready = |worker: &&Arc<Worker>| worker.joined.load(Ordering::Relaxed) && !worker.is_unhealthy();
        table.values().filter(ready).count()
    }

    /// The worker, which is leased as if it was seen now. After a restart the store knows it, but nobody has seen it.
    pub(super) fn leased(&self, id: &WorkerId, now: Timestamp) {
        let worker = self.joined(id);
        worker.seen.store(now.as_millis(), Ordering::Release);
        worker.leased.store(true, Ordering::Relaxed);
    }

    pub(super) fn stop(&self, id: &WorkerId, job: &JobId) {
        if let Some(worker) = self.table.read().unwrap_or_else(PoisonError::into_inner).get(id) {
            worker.stop(job);
        }
    }

    pub(super) fn forget(&self, id: &WorkerId) {
        self.table.write().unwrap_or_else(PoisonError::into_inner).remove(id);
    }

    /// When the next worker counts as lost, if nothing is heard of it.
    pub(super) fn next_lost(&self, lease: Duration) -> Option<Timestamp> {
        let table = self.table.read().unwrap_or_else(PoisonError::into_inner);
        table.values().filter_map(|worker| worker.lost_at(lease)).min()
    }

    /// The workers that were silent for too long.
    pub(super) fn lost(&self, lease: Duration, now: Timestamp) -> Vec<WorkerId> {
        let table = self.table.read().unwrap_or_else(PoisonError::into_inner);
        let lost = table.iter().filter(|(_, worker)| worker.lost_at(lease).is_some_and(|at| at <= now));
        lost.map(|(id, _)| id.clone()).collect()
    }

    /// How many workers do what, when `busy` of them hold jobs.
    pub(super) fn health(&self, busy: u64) -> HealthWorkers {
        let table = self.table.read().unwrap_or_else(PoisonError::into_inner);
        let mut health = HealthWorkers::default();
        for worker in table.values() {
            if worker.unhealthy.load(Ordering::Relaxed) {
                health.unhealthy += 1;
            } else if worker.joined.load(Ordering::Relaxed) {
                health.ready += 1;
            } else {
                health.initializing += 1;
            }
        }
        health.running = busy.min(health.ready);
        health.idle = health.ready - health.running;
        health
    }
}

/// A request of a worker that came over the wire, held for as long as the request is open. It renews the worker's lease.
#[derive(Debug)]
pub struct Contact {
    queue: Queue,
    pub(super) worker: Arc<Worker>,
}

impl Contact {
    pub(super) fn new(queue: Queue, worker: Arc<Worker>) -> Self {
        worker.open.fetch_add(1, Ordering::AcqRel);
        worker.leased.store(true, Ordering::Relaxed);
        Self { queue, worker }
    }
}

impl Drop for Contact {
    fn drop(&mut self) {
        let now = self.queue.clock().now();
        self.worker.seen.fetch_max(now.as_millis(), Ordering::AcqRel);
        self.worker.open.fetch_sub(1, Ordering::AcqRel);
        self.queue.consider(now + self.queue.limits().lease);
    }
}
