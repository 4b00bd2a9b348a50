use std::collections::HashMap;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use flash_core::clock::Clock;
use tokio::sync::Notify;

use super::limits::Limits;
use super::vitals::{Order, Tick, Vitals};

/// How often the connections are looked at.
const PERIOD: Duration = Duration::from_secs(1);

/// Watches over the connections of a server: closes those that are too slow, and knows when all are gone.
///
/// One task looks at all of them once a second. A timer for each would be set and taken back with every request.
#[derive(Debug)]
pub(super) struct Watch {
    clock: Clock,
    limits: Limits,
    tick: Tick,
    open: Mutex<Open>,
    changed: Notify,
}

#[derive(Debug, Default)]
struct Open {
    connections: HashMap<u64, Arc<Vitals>>,
    next: u64,
}

impl Watch {
    pub(super) fn new(clock: Clock, limits: Limits) -> Self {
        let watch =
            Self { clock, limits, tick: Tick::default(), open: Mutex::default(), changed: Notify::new() };
        watch.read_time();
        watch
    }

    fn read_time(&self) -> u64 {
        let now = self.clock.now().as_millis();
        self.tick.store(now, Ordering::Relaxed);
        now
    }

    /// Looks after the connections until it is dropped.
    pub(super) async fn run(&self) {
        loop {
            let changed = self.changed.notified();
            if self.lock().connections.is_empty() {
                changed.await;
                self.read_time();
                continue;
            }
            self.clock.sleep(PERIOD).await;
            let now = self.read_time();
            for vitals in self.lock().connections.values() {
                if let Some(reason) = vitals.overdue(now, &self.limits) {
                    tracing::debug!(reason, "connection closed");
                    vitals.give(Order::Close);
                }
            }
        }
    }

    /// Waits until there is room for one more connection. At the limit the one that has been idle longest goes.
    pub(super) async fn room(&self) {
        loop {
            let changed = self.changed.notified();
            {
                let open = self.lock();
                if open.connections.len() < self.limits.connections {
                    return;
                }
                let idle =
                    open.connections.values().filter_map(|vitals| Some((vitals.idle_since()?, vitals)));
                if let Some((_, vitals)) = idle.min_by_key(|(since, _)| *since) {
                    vitals.give(Order::Close);
                }
            }
            changed.await;
        }
    }

    pub(super) fn register(self: &Arc<Self>) -> Registered {
        self.read_time();
        let vitals = Arc::new(Vitals::new(Arc::clone(&self.tick)));
        let id = {
            let mut open = self.lock();
            let id = open.next;
            open.next += 1;
            open.connections.insert(id, Arc::clone(&vitals));
            id
        };
        self.changed.notify_waiters();
        Registered { watch: Arc::clone(self), vitals, id }
    }

    /// Tells every connection, those with another protocol excepted.
    pub(super) fn order(&self, order: Order) {
        for vitals in self.lock().connections.values().filter(|vitals| !vitals.is_upgraded()) {
            vitals.give(order);
        }
    }

    /// Whether all who are left speak another protocol than HTTP.
    pub(super) fn has_only_upgraded(&self) -> bool {
        self.lock().connections.values().all(|vitals| vitals.is_upgraded())
    }

    /// Waits until nobody is connected.
    pub(super) async fn all_gone(&self) {
        loop {
            let changed = self.changed.notified();
            if self.lock().connections.is_empty() {
                return;
            }
            changed.await;
        }
    }

    fn lock(&self) -> MutexGuard<'_, Open> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A place on the watch's list, until it is dropped.
#[derive(Debug)]
pub(super) struct Registered {
    watch: Arc<Watch>,
    vitals: Arc<Vitals>,
    id: u64,
}

impl Registered {
    pub(super) fn vitals(&self) -> &Arc<Vitals> {
        &self.vitals
    }
}

impl Drop for Registered {
    fn drop(&mut self) {
        self.watch.lock().connections.remove(&self.id);
        self.watch.changed.notify_waiters();
    }
}
