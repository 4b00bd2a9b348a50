use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use flash_core::clock::{Clock, Timestamp};

use super::kept::Kept;
use super::state_manager::{Known, StateManager, endpoints_of};

/// How long an answer that could not be renewed is used before the State Manager is asked again.
const AFTER_FAILURE: Duration = Duration::from_secs(10);

/// What the State Manager said last. One request is on its way at most, and when it fails the old answer stays.
#[derive(Debug)]
pub(super) struct Snapshot {
    state_manager: StateManager,
    lifetime: Duration,
    /// Where answers outlive this process.
    kept: Option<Kept>,
    state: Mutex<State>,
    /// Held while the State Manager is asked.
    asking: tokio::sync::Mutex<()>,
}

#[derive(Debug, Default)]
struct State {
    endpoints: BTreeMap<String, Known>,
    fresh_until: Option<Timestamp>,
    /// Counts answers, the failed ones too.
    answers: u64,
    failure: Option<String>,
}

impl Snapshot {
    pub(super) fn new(state_manager: StateManager, lifetime: Duration, kept: Option<Kept>) -> Self {
        Self { state_manager, lifetime, kept, state: Mutex::default(), asking: tokio::sync::Mutex::default() }
    }

    pub(super) fn state_manager(&self) -> &StateManager {
        &self.state_manager
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What is known of an endpoint, after the State Manager was asked if that was due. Also gives the count of answers.
    pub(super) async fn get(&self, clock: &Clock, name: &str) -> (Option<Known>, u64) {
        let (is_fresh, answers) = {
            let state = self.lock();
            (state.fresh_until.is_some_and(|until| clock.now() < until), state.answers)
        };
        if !is_fresh {
            self.renew(clock, answers).await;
        }
        let state = self.lock();
        (state.endpoints.get(name).cloned(), state.answers)
    }

    /// Asks the State Manager, unless somebody has since the answer of this number.
    pub(super) async fn renew(&self, clock: &Clock, after: u64) {
        let _asking = self.asking.lock().await;
        if self.lock().answers > after {
            return;
        }
        let answer = self.state_manager.manifest().await;
        if let (Some(kept), Ok(manifest)) = (&self.kept, &answer) {
            kept.keep(manifest);
        }
        let mut state = self.lock();
        state.answers += 1;
        let lifetime = match answer {
            Ok(manifest) => {
                state.endpoints = endpoints_of(&manifest);
                state.failure = None;
                jittered(self.lifetime)
            }
            Err(error) => {
                tracing::warn!(%error, "the State Manager did not answer; what it said before stays in use");
                state.failure = Some(error.to_string());
                // What another process heard, where this one has heard nothing.
                if let Some(kept) = self.kept.as_ref().filter(|_| state.endpoints.is_empty()) {
                    state.endpoints = kept.endpoints();
                }
                self.lifetime.min(AFTER_FAILURE)
            }
        };
        state.fresh_until = Some(clock.now() + lifetime);
    }

    /// The next call asks again.
    pub(super) fn expire(&self) {
        self.lock().fresh_until = None;
    }

    /// What it knows, in words.
    pub(super) fn describe(&self) -> String {
        let state = self.lock();
        let names = state.endpoints.keys().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
        match (&state.failure, names.is_empty()) {
            (Some(failure), _) => format!("failed ({failure})"),
            (None, true) => "names nothing".to_owned(),
            (None, false) => format!("names {names}"),
        }
    }
}

/// Nine to eleven tenths, so that workers that were started together do not ask together.
fn jittered(lifetime: Duration) -> Duration {
    let random = u32::from(flash_core::ids::JobId::random().as_str().bytes().fold(0_u8, u8::wrapping_add));
    lifetime * (900 + random * 200 / 255) / 1_000
}
