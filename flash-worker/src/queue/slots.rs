use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use flash_core::ids::JobId;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// The jobs that may run at the same time. A slot is free again when its function has really ended.
#[derive(Debug, Clone)]
pub(crate) struct Slots {
    permits: Arc<Semaphore>,
    total: u32,
    /// Slots that have a job, whether its id is known yet or not.
    busy: Arc<AtomicUsize>,
    running: Arc<Mutex<Vec<JobId>>>,
}

/// A place for one job; dropping it frees the place.
#[derive(Debug)]
pub(crate) struct Slot {
    _permit: OwnedSemaphorePermit,
    slots: Slots,
    is_busy: bool,
    job: Option<JobId>,
}

impl Slots {
    pub(crate) fn new(total: u32) -> Self {
        Self {
            permits: Arc::new(Semaphore::new(total as usize)),
            total,
            busy: Arc::default(),
            running: Arc::default(),
        }
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
        Slot { _permit: permit, slots: self.clone(), is_busy: false, job: None }
    }

    /// Waits until no job runs.
    pub(crate) async fn all_free(&self) {
        let _all = self.permits.acquire_many(self.total).await;
    }

    pub(crate) fn running(&self) -> Vec<JobId> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner).clone()
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
        self.slots.busy.fetch_add(1, Ordering::Relaxed);
    }

    /// The job's id is known.
    pub(crate) fn occupy(&mut self, job: JobId) {
        self.slots.running.lock().unwrap_or_else(PoisonError::into_inner).push(job.clone());
        self.job = Some(job);
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        if self.is_busy {
            self.slots.busy.fetch_sub(1, Ordering::Relaxed);
        }
        if let Some(job) = &self.job {
            let mut running = self.slots.running.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(index) = running.iter().position(|other| other == job) {
                running.swap_remove(index);
            }
        }
    }
}
