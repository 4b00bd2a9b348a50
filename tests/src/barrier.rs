//! Where requests wait for a test.

use std::collections::BTreeMap;
use std::sync::{LazyLock, Mutex, PoisonError};

use tokio::sync::watch;

/// Where requests wait until a test opens it. Each test has one of its own, because tests may share a process.
#[derive(Debug, Default)]
pub struct Barrier {
    is_open: watch::Sender<bool>,
    waiting: watch::Sender<usize>,
}

impl Barrier {
    /// The barrier of this name, which is closed at first.
    pub fn named(name: &str) -> &'static Self {
        static BARRIERS: LazyLock<Mutex<BTreeMap<String, &'static Barrier>>> = LazyLock::new(Mutex::default);
        let mut barriers = BARRIERS.lock().unwrap_or_else(PoisonError::into_inner);
        barriers.entry(name.to_owned()).or_insert_with(|| Box::leak(Box::default()))
    }

    /// Lets everybody pass from now on.
    pub fn open(&self) {
        self.is_open.send_replace(true);
    }

    /// Waits until it is open.
    pub async fn pass(&self) {
        self.waiting.send_modify(|count| *count += 1);
        // The sender lives as long as `self`, so this cannot fail.
        let _ = self.is_open.subscribe().wait_for(|open| *open).await;
        self.waiting.send_modify(|count| *count -= 1);
    }

    /// Until that many wait in front of it.
    pub async fn has(&self, count: usize) {
        let _ = self.waiting.subscribe().wait_for(|waiting| *waiting == count).await;
    }
}
