//! Jobs in this process's memory. They are gone when it ends.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use flash_core::ids::EndpointId;

use super::{Answer, JobStore, Store};
use crate::limits::Limits;
use crate::machine::Rules;

mod arena;
mod ended;
mod index;
mod jobs;
mod record;
mod table;
mod timers;

use jobs::MemoryJobs;

/// The store that needs nothing.
pub struct MemoryStore {
    endpoints: Mutex<HashMap<EndpointId, Arc<MemoryJobs>>>,
    keep_ended: usize,
}

impl MemoryStore {
    /// An empty store that keeps at most `limits.memory_ended` bytes of ended jobs per endpoint.
    pub fn new(limits: &Limits) -> Self {
        Self { endpoints: Mutex::default(), keep_ended: limits.memory_ended }
    }
}

impl Store for MemoryStore {
    fn open(&self, endpoint: &EndpointId, rules: Rules) -> Answer<Arc<dyn JobStore>> {
        let mut endpoints = self.endpoints.lock().unwrap_or_else(PoisonError::into_inner);
        let jobs = endpoints
            .entry(endpoint.clone())
            .or_insert_with(|| Arc::new(MemoryJobs::new(rules, self.keep_ended)));
        Answer::now(jobs.clone())
    }
}

impl fmt::Debug for MemoryStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryStore").field("keep_ended", &self.keep_ended).finish_non_exhaustive()
    }
}
