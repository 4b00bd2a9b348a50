use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// The jobs that may run at the same time. A slot is free again when its function has really ended.
#[derive(Debug, Clone)]
pub(crate) struct Slots {
    permits: Arc<Semaphore>,
    total: u32,
    busy: Arc<AtomicUsize>,
}

/// A place for one job; dropping it frees the place.
#[derive(Debug)]
pub(crate) struct Slot {
    _permit: OwnedSemaphorePermit,
    busy: Arc<AtomicUsize>,
    is_busy: bool,
}

impl Slots {
    pub(crate) fn new(total: u32) -> Self {
        Self { permits: Arc::new(Semaphore::new(total as usize)), total, busy: Arc::default() }
    }

    /// Waits for a free slot, and takes all that are free with it.
    pub(crate) async fn free(&self) -> Vec<Slot> {
        let mut slots = vec![self.next().await];
        while let Ok(next) = Arc::clone(&self.permits).try_acquire_owned() {
            slots.push(self.slot(next));
        }
        slots
    }

    /// Waits for one slot.
    pub(crate) async fn next(&self) -> Slot {
        match Arc::clone(&self.permits).acquire_owned().await {
            Ok(permit) => self.slot(permit),
            // Only a closed semaphore refuses, and nobody closes this one.
            Err(_) => std::future::pending().await,
        }
    }

    fn slot(&self, permit: OwnedSemaphorePermit) -> Slot {
        Slot { _permit: permit, busy: Arc::clone(&self.busy), is_busy: false }
    }

    /// Waits until no job runs.
    pub(crate) async fn all_free(&self) {
        let _all = self.permits.acquire_many(self.total).await;
    }

    /// Whether a job runs. Slots that wait for one do not count.
    pub(crate) fn is_busy(&self) -> bool {
        self.busy.load(Ordering::Relaxed) > 0
    }
}

impl Slot {
    /// A job was taken for this slot.
    pub(crate) fn begin(&mut self) {
        self.is_busy = true;
        self.busy.fetch_add(1, Ordering::Relaxed);
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        if self.is_busy {
            self.busy.fetch_sub(1, Ordering::Relaxed);
        }
    }
}
