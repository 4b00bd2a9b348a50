use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use flash_core::ids::JobId;
use tokio_util::sync::CancellationToken;

/// The jobs that this worker owes an answer for: from the moment it knows their ids until the queue has their results.
#[derive(Debug, Clone, Default)]
pub(crate) struct Held {
    state: Arc<Mutex<State>>,
}

#[derive(Debug, Default)]
struct State {
    jobs: HashMap<JobId, CancellationToken>,
    /// Stops that overtook their job on its way into this process, the newest last.
    early: VecDeque<JobId>,
}

/// A stop can overtake its job only by moments, so few are worth remembering.
const MOST_EARLY: usize = 256;

/// One such job. Dropping it settles the debt.
#[derive(Debug)]
pub(crate) struct HeldJob {
    id: JobId,
    token: CancellationToken,
    held: Held,
}

impl Held {
    /// Takes on a job.
    pub(crate) fn add(&self, id: JobId) -> HeldJob {
        let token = CancellationToken::new();
        let mut state = self.lock();
        if let Some(index) = state.early.iter().position(|early| *early == id) {
            state.early.remove(index);
            token.cancel();
        }
        state.jobs.insert(id.clone(), token.clone());
        drop(state);
        HeldJob { id, token, held: self.clone() }
    }

    /// The ids of all such jobs.
    pub(crate) fn ids(&self) -> Vec<JobId> {
        self.lock().jobs.keys().cloned().collect()
    }

    /// Stops a job that this worker has, or is about to have.
    pub(crate) fn stop(&self, id: &JobId) {
        let mut state = self.lock();
        match state.jobs.get(id) {
            Some(token) => token.cancel(),
            None => {
                state.early.push_back(id.clone());
                if state.early.len() > MOST_EARLY {
                    state.early.pop_front();
                }
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl HeldJob {
    pub(crate) fn id(&self) -> &JobId {
        &self.id
    }

    /// Set when the platform stops the job.
    pub(crate) fn token(&self) -> &CancellationToken {
        &self.token
    }
}

impl Drop for HeldJob {
    fn drop(&mut self) {
        self.held.lock().jobs.remove(&self.id);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stop_that_overtakes_its_job_counts() {
        let held = Held::default();
        held.stop(&"a".into());
        assert!(held.add("a".into()).token().is_cancelled());
        // Once: the platform may give the same job to this worker again.
        assert!(!held.add("a".into()).token().is_cancelled());
        for n in 0..1000 {
            held.stop(&format!("x{n}").into());
        }
        assert_eq!(held.lock().early.len(), MOST_EARLY);
    }
}
