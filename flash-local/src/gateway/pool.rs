//! The workers of one endpoint that requests can go to.

use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use flash_core::clock::{Clock, Timestamp};
use flash_core::ids::WorkerId;
use tokio::sync::Notify;

use super::backend::Backend;

#[derive(Debug, Default)]
pub(crate) struct Pool {
    backends: Mutex<Vec<Arc<Backend>>>,
    /// A worker became healthy.
    healthy: Notify,
}

/// A worker that was picked for a request, until the request is over.
#[derive(Debug)]
pub(super) struct Picked {
    pub(super) backend: Arc<Backend>,
}

impl Drop for Picked {
    fn drop(&mut self) {
        self.backend.leave();
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
    pub(crate) fn remove(&self, worker: &WorkerId) {
        self.lock().retain(|backend| backend.worker != *worker);
    }

    pub(crate) fn set_healthy(&self, backend: &Backend, healthy: bool) {
        backend.set_healthy(healthy);
        if healthy {
            self.healthy.notify_waiters();
        }
    }

    /// The healthy worker with the fewest requests; waits for one until `until`.
    pub(super) async fn pick(&self, clock: &Clock, until: Timestamp) -> Option<Picked> {
        loop {
            let mut healthy = pin!(self.healthy.notified());
            healthy.as_mut().enable();
            if let Some(picked) = self.pick_now() {
                return Some(picked);
            }
            clock.timeout_at(until, healthy).await.ok()?;
        }
    }

    fn pick_now(&self) -> Option<Picked> {
        let mut backends = self.lock();
        let healthy = backends.iter().enumerate().filter(|(_, backend)| backend.is_healthy());
        let (at, _) = healthy.min_by_key(|(_, backend)| backend.in_flight())?;
        let backend = backends.remove(at);
        backend.enter();
        // To the end, so that those who are equally busy take turns.
        backends.push(backend.clone());
        Some(Picked { backend })
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
        let pool = Pool::default();
        let backends: Vec<_> =
            ["a", "b", "c"].into_iter().map(|name| pool.add(Backend::new(name.into(), 1))).collect();
        assert!(pool.pick_now().is_none());
        pool.set_healthy(&backends[0], true);
        pool.set_healthy(&backends[2], true);
        let pick = || {
            let picked = pool.pick_now().unwrap();
            (picked.backend.worker.to_string(), picked)
        };
        let ((first, _a), (second, _c), (third, a2)) = (pick(), pick(), pick());
        assert_eq!([&*first, &*second, &*third], ["a", "c", "a"]);
        drop((a2, _a));
        assert_eq!(pick().0, "a", "it has nothing to do");
        pool.remove(&"a".into());
        assert_eq!(pick().0, "c");
    }
}
