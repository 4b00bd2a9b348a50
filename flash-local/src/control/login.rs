//! How a command line gets a key without a person copying it (platform contract D.10): it asks, a person approves on the
//! web page, and it is told the key once.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use flash_core::clock::Timestamp;

use super::id;

mod page;

pub(super) use page::routes;

/// How long a request waits for somebody.
const LIFE: Duration = Duration::from_secs(600);

/// Requests that wait at most. Nobody needs a key to make one.
const MOST: usize = 100;

/// The requests. They do not outlive the platform.
#[derive(Debug, Default)]
pub(super) struct Logins(Mutex<BTreeMap<String, Login>>);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    Pending,
    Approved,
    Consumed,
    Expired,
}

impl Stage {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Pending => "PENDING",
            Self::Approved => "APPROVED",
            Self::Consumed => "CONSUMED",
            Self::Expired => "EXPIRED",
        }
    }
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Login {
    pub(super) stage: Stage,
    pub(super) expires: Timestamp,
}

impl Logins {
    pub(super) fn ask(&self, now: Timestamp) -> (String, Login) {
        let mut logins = self.lock(now);
        while logins.len() >= MOST {
            logins.pop_first();
        }
        // Nobody must be able to guess it: who knows it is given the key.
        let (id, login) = (id::fresh(32), Login { stage: Stage::Pending, expires: now + LIFE });
        logins.insert(id.clone(), login);
        (id, login)
    }

    /// Where a request stands. One that was approved is told so once.
    pub(super) fn poll(&self, id: &str, now: Timestamp) -> Login {
        let mut logins = self.lock(now);
        let Some(login) = logins.get_mut(id) else { return Login { stage: Stage::Expired, expires: now } };
        let answer = *login;
        if login.stage == Stage::Approved {
            login.stage = Stage::Consumed;
        }
        answer
    }

    /// A person approves a request. `false`: there is none of this id.
    pub(super) fn approve(&self, id: &str, now: Timestamp) -> bool {
        let mut logins = self.lock(now);
        let pending = logins.get_mut(id).filter(|login| login.stage == Stage::Pending);
        pending.map(|login| login.stage = Stage::Approved).is_some()
    }

    fn lock(&self, now: Timestamp) -> MutexGuard<'_, BTreeMap<String, Login>> {
        let mut logins = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        logins.retain(|_, login| login.expires > now);
        logins
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_told_once_and_only_after_somebody_agreed() {
        let (logins, now) = (Logins::default(), Timestamp::from_millis(1_000));
        let (id, _) = logins.ask(now);
        let stages = || [logins.poll(&id, now).stage, logins.poll(&id, now).stage];
        assert_eq!(stages(), [Stage::Pending, Stage::Pending]);
        assert!(logins.approve(&id, now) && !logins.approve(&id, now) && !logins.approve("other", now));
        assert_eq!(stages(), [Stage::Approved, Stage::Consumed]);
        assert_eq!(logins.poll(&id, now + LIFE).stage, Stage::Expired);
    }
}
