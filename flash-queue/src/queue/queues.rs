//! The queues of a process.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, OnceLock, PoisonError, RwLock, Weak};

use flash_core::clock::{Clock, Timestamp};
use flash_core::ids::{EndpointId, WorkerId};
use tokio::task::JoinHandle;

use super::timers::Timers;
use super::webhooks::{Deliver, Webhooks};
use super::{Queue, QueueOptions};
use crate::machine::Rules;
use crate::{Limits, MemoryStore, Store, StoreError};

/// The queues of a process, by endpoint, over one store and one clock. Clones are the same.
///
/// When the last clone is gone, time stops for its jobs: nothing expires, and no lease ends.
#[derive(Clone)]
pub struct Queues(Arc<Inner>);

struct Inner {
    store: Arc<dyn Store>,
    clock: Clock,
    limits: Arc<Limits>,
    timers: Arc<Timers>,
    webhooks: Arc<Webhooks>,
    table: RwLock<HashMap<EndpointId, Queue>>,
    /// Held while a queue is opened: a store that opens the same endpoint twice has two views of its jobs, and the one that
    /// is kept here may be the one that no longer sees them.
    opening: tokio::sync::Mutex<()>,
    task: RwLock<Option<JoinHandle<()>>>,
    departed: OnceLock<Box<Departed>>,
}

type Departed = dyn Fn(&EndpointId, &WorkerId) -> bool + Send + Sync;

/// How many due jobs are handled in one operation of the store. Others get their turn in between.
const TICK_BATCH: usize = 256;

impl Queues {
    /// No queues yet. The task that watches over time limits is spawned here.
    ///
    /// # Panics
    /// Outside of a tokio runtime.
    pub fn new(store: Arc<dyn Store>, clock: Clock, limits: Limits) -> Self {
        let inner = Arc::new(Inner {
            store,
            clock: clock.clone(),
            webhooks: Arc::new(Webhooks::new(limits.webhook_parallel)),
            limits: Arc::new(limits),
            timers: Arc::default(),
            table: RwLock::default(),
            opening: tokio::sync::Mutex::default(),
            task: RwLock::default(),
            departed: OnceLock::new(),
        });
        let task = tokio::spawn(watch(Arc::downgrade(&inner), inner.timers.clone(), clock));
        *inner.task.write().unwrap_or_else(PoisonError::into_inner) = Some(task);
        Self(inner)
    }

    /// Queues in memory, with real time and the default limits.
    ///
    /// # Panics
    /// Outside of a tokio runtime.
    pub fn memory() -> Self {
        let limits = Limits::default();
        Self::new(Arc::new(MemoryStore::new(&limits)), Clock::real(), limits)
    }

    /// Opens the queue of an endpoint. One that is open already is returned as it is.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn open(&self, endpoint: EndpointId, options: QueueOptions) -> Result<Queue, StoreError> {
        if let Some(queue) = self.get(endpoint.as_str()) {
            return Ok(queue);
        }
        let inner = &self.0;
        let _turn = inner.opening.lock().await;
        if let Some(queue) = self.get(endpoint.as_str()) {
            return Ok(queue);
        }
        let jobs = inner.store.open(&endpoint, Rules::from(&*inner.limits)).await?;
        let queue = Queue::new(
            endpoint.clone(),
            jobs,
            options,
            inner.clock.clone(),
            inner.limits.clone(),
            inner.timers.clone(),
            inner.webhooks.clone(),
        );
        let departed = |worker: &WorkerId| inner.departed.get().is_some_and(|is| is(&endpoint, worker));
        queue.resume(departed).await?;
        let mut table = inner.table.write().unwrap_or_else(PoisonError::into_inner);
        Ok(table.entry(endpoint).or_insert(queue).clone())
    }

    /// Says who calls the webhooks of jobs. Without one they are not called. Set it before a queue is opened: that one goes on
    /// with what an earlier process left.
    #[must_use]
    pub fn webhooks(self, deliver: Arc<dyn Deliver>) -> Self {
        self.0.webhooks.deliver_by(deliver);
        self
    }

    /// Says which workers ended with an earlier process. When a queue is opened, what they had goes back at once, as from any
    /// worker that is lost; the others, which may still be there, keep theirs for a lease. Set it before a queue is opened, and
    /// once.
    #[must_use]
    pub fn departed(self, departed: impl Fn(&EndpointId, &WorkerId) -> bool + Send + Sync + 'static) -> Self {
        let _ = self.0.departed.set(Box::new(departed));
        self
    }

    /// The queue of an endpoint.
    pub fn get(&self, endpoint: &str) -> Option<Queue> {
        self.0.table.read().unwrap_or_else(PoisonError::into_inner).get(endpoint).cloned()
    }

    /// Closes the queue of an endpoint. Its jobs stay in the store.
    pub fn close(&self, endpoint: &str) -> Option<Queue> {
        self.0.table.write().unwrap_or_else(PoisonError::into_inner).remove(endpoint)
    }

    /// The numbers in force.
    pub fn limits(&self) -> &Limits {
        &self.0.limits
    }

    /// The time in force.
    pub fn clock(&self) -> &Clock {
        &self.0.clock
    }
}

impl fmt::Debug for Queues {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let table = self.0.table.read().unwrap_or_else(PoisonError::into_inner);
        f.debug_tuple("Queues").field(&table.keys().collect::<Vec<_>>()).finish()
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        if let Some(task) = self.task.write().unwrap_or_else(PoisonError::into_inner).take() {
            task.abort();
        }
    }
}

async fn watch(queues: Weak<Inner>, timers: Arc<Timers>, clock: Clock) {
    loop {
        timers.wait(&clock).await;
        let Some(inner) = queues.upgrade() else { return };
        let open: Vec<Queue> =
            inner.table.read().unwrap_or_else(PoisonError::into_inner).values().cloned().collect();
        drop(inner);
        timers.reset();
        for queue in open {
            if let Err(error) = queue.pass_time(TICK_BATCH).await {
                tracing::error!(endpoint = %queue.id(), %error, "failed to let time pass; trying again in a second");
                timers.consider(clock.now() + std::time::Duration::from_secs(1));
            }
        }
    }
}

/// `None` of the moments is one that never comes.
pub(super) fn earliest(moments: [Option<Timestamp>; 2]) -> Option<Timestamp> {
    moments.into_iter().flatten().min()
}
