//! The workers of one endpoint that requests can go to.

use std::collections::BTreeMap;
use std::pin::pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use flash_core::clock::{Clock, Timestamp};
use flash_core::ids::WorkerId;
use tokio::sync::Notify;

use super::affinity::Affinity;
use super::backend::Backend;
use crate::scaling::Load;

#[derive(Debug, Default)]
pub(crate) struct Pool {
    backends: Mutex<Vec<Arc<Backend>>>,
    /// A worker became healthy.
    healthy: Notify,
    /// When each request that waits for a worker began to wait.
    waiting: Mutex<BTreeMap<u64, Timestamp>>,
    waited: AtomicU64,
    /// A request waits.
    attention: Notify,
}

/// A worker that was picked for a request, until the request is over.
#[derive(Debug)]
pub(super) struct Picked {
    pub(super) backend: Arc<Backend>,
    clock: Clock,
}

impl Drop for Picked {
    fn drop(&mut self) {
        self.backend.leave(self.clock.now());
    }
}

/// Why no worker was picked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NotPicked {
    /// There was none in time.
    Timeout,
    /// The one that the caller wants is gone.
    Gone,
}

/// How often a caller that waits for a certain worker looks whether it is still there.
const GONE_LOOK: Duration = Duration::from_secs(1);

/// A request that waits for a worker, until this is dropped.
struct Waiting<'a> {
    pool: &'a Pool,
    number: u64,
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.pool.waiting().remove(&self.number);
    }
}

impl Pool {
    /// Adds a worker. Nothing goes to it until it is healthy.
    pub(crate) fn add(&self, backend: Backend) -> Arc<Backend> {
        let backend = Arc::new(backend);
        self.lock().push(backend.clone());
        backend
    }

    /// Takes a worker out. Requests that it has go on.
    pub(crate) fn remove(&self, worker: &WorkerId) -> Option<Arc<Backend>> {
        let mut backends = self.lock();
        let at = backends.iter().position(|backend| backend.worker == *worker)?;
        Some(backends.remove(at))
    }

    /// Whether a worker has requests, and when one came or went last.
    pub(crate) fn work_of(&self, worker: &WorkerId) -> (bool, Option<Timestamp>) {
        let backends = self.lock();
        let found = backends.iter().find(|backend| backend.worker == *worker);
        found.map_or((false, None), |backend| (backend.in_flight() > 0, backend.worked()))
    }

    /// The workers that have requests.
    #[cfg(feature = "control-plane")]
    pub(crate) fn busy(&self) -> Vec<WorkerId> {
        let backends = self.lock();
        let busy = backends.iter().filter(|backend| backend.in_flight() > 0);
        busy.map(|backend| backend.worker.clone()).collect()
    }

    /// The requests that wait and run.
    pub(crate) fn load(&self, now: Timestamp) -> Load {
        let running = self.lock().iter().map(|backend| backend.in_flight() as u64).sum();
        let waiting = self.waiting();
        let oldest = waiting.values().next().map_or(Duration::ZERO, |since| now.since(*since));
        Load { waiting: waiting.len() as u64, running, oldest }
    }

    /// Waits until a request came for which there was no worker at once, or one more request runs.
    pub(crate) async fn attention(&self) {
        self.attention.notified().await;
    }

    pub(crate) fn set_healthy(&self, backend: &Backend, healthy: bool) {
        backend.set_healthy(healthy);
        if healthy {
            self.healthy.notify_waiters();
        }
    }

    /// A healthy worker, the one with the fewest requests unless the caller wants a certain one; waits for it until
    /// `until`.
    pub(super) async fn pick(
        &self,
        affinity: &Affinity,
        clock: &Clock,
        until: Timestamp,
    ) -> Result<Picked, NotPicked> {
        if let Some(picked) = self.pick_now(affinity, clock)? {
            self.attention.notify_one();
            return Ok(picked);
        }
        let number = self.waited.fetch_add(1, Ordering::Relaxed);
        self.waiting().insert(number, clock.now());
        let _waiting = Waiting { pool: self, number };
        self.attention.notify_one();
        loop {
            let mut healthy = pin!(self.healthy.notified());
            healthy.as_mut().enable();
            if let Some(picked) = self.pick_now(affinity, clock)? {
                return Ok(picked);
            }
            // A worker that is wanted may also go away; that is looked at from time to time.
            let look = match affinity {
                Affinity::Only(_) => until.min(clock.now() + GONE_LOOK),
                _ => until,
            };
            if clock.timeout_at(look, healthy).await.is_err() && look == until {
                return Err(NotPicked::Timeout);
            }
        }
    }

    fn pick_now(&self, affinity: &Affinity, clock: &Clock) -> Result<Option<Picked>, NotPicked> {
        let mut backends = self.lock();
        let wanted = |worker: &WorkerId| backends.iter().position(|backend| backend.worker == *worker);
        let wanted = match affinity {
            Affinity::Any => None,
            Affinity::Rather(worker) => wanted(worker).filter(|at| backends[*at].is_healthy()),
            Affinity::Only(worker) => match wanted(worker) {
                None => return Err(NotPicked::Gone),
                Some(at) if backends[at].is_healthy() => Some(at),
                Some(_) => return Ok(None),
            },
        };
        let healthy = backends.iter().enumerate().filter(|(_, backend)| backend.is_healthy());
        let least = || healthy.min_by_key(|(_, backend)| backend.in_flight()).map(|(at, _)| at);
        let Some(at) = wanted.or_else(least) else { return Ok(None) };
        let backend = backends.remove(at);
        backend.enter(clock.now());
        // To the end, so that those who are equally busy take turns.
        backends.push(backend.clone());
        Ok(Some(Picked { backend, clock: clock.clone() }))
    }

    fn waiting(&self) -> MutexGuard<'_, BTreeMap<u64, Timestamp>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Arc<Backend>>> {
        self.backends.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_least_busy_healthy_worker_is_picked_in_turns() {
        let (pool, clock) = (Pool::default(), Clock::real());
        let backends: Vec<_> =
            ["a", "b", "c"].into_iter().map(|name| pool.add(Backend::new(name.into(), 1))).collect();
        assert!(pool.pick_now(&Affinity::Any, &clock).unwrap().is_none());
        pool.set_healthy(&backends[0], true);
        pool.set_healthy(&backends[2], true);
        let pick = || {
            let picked = pool.pick_now(&Affinity::Any, &clock).unwrap().unwrap();
            (picked.backend.worker.to_string(), picked)
        };
        let ((first, _a), (second, _c), (third, a2)) = (pick(), pick(), pick());
        assert_eq!([&*first, &*second, &*third], ["a", "c", "a"]);
        drop((a2, _a));
        assert_eq!(pick().0, "a", "it has nothing to do");
        let wanted = |affinity| {
            pool.pick_now(&affinity, &clock).map(|one| one.map(|one| one.backend.worker.to_string()))
        };
        assert_eq!(wanted(Affinity::Rather("c".into())), Ok(Some("c".to_owned())));
        assert_eq!(wanted(Affinity::Rather("b".into())), Ok(Some("a".to_owned())), "it is not healthy");
        assert_eq!(wanted(Affinity::Only("b".into())), Ok(None), "it may become healthy");
        assert_eq!(wanted(Affinity::Only("z".into())), Err(NotPicked::Gone));
        pool.remove(&"a".into());
        assert_eq!(pick().0, "c");
    }
}
