//! A job as a caller hands it in.

use std::sync::Arc;
use std::time::Duration;

use flash_core::wire::{Policy, RunRequest};
use serde_json::value::RawValue;

use super::QueueOptions;
use crate::machine::Terms;
use crate::store::Attached;
use crate::{Limits, Payload, QueueError};

/// A job to be run.
#[derive(Clone, Debug)]
pub struct Submission {
    pub(super) input: Payload,
    pub(super) attached: Option<Arc<Attached>>,
}

impl Submission {
    /// A job with nothing but its input.
    pub const fn new(input: Payload) -> Self {
        Self { input, attached: None }
    }

    /// Adds what came with the input.
    #[must_use]
    pub fn attached(mut self, attached: Attached) -> Self {
        self.attached = Some(Arc::new(attached));
        self
    }

    /// The submission in the body of `/run`. `None`: it has no `input`.
    pub fn from_request(request: RunRequest<&RawValue>) -> Option<Self> {
        let submission = Self::new(request.input?.into());
        let s3_config = request.s3_config.map(|raw| ("s3Config".to_owned(), raw.into()));
        let extra: Vec<_> = s3_config
            .into_iter()
            .chain(request.extra.into_iter().map(|(key, raw)| (key, raw.into())))
            .collect();
        if request.webhook.is_none() && request.policy.is_none() && extra.is_empty() {
            return Some(submission);
        }
        Some(submission.attached(Attached { webhook: request.webhook, policy: request.policy, extra }))
    }

    /// The times that hold for it.
    ///
    /// # Errors
    /// When its policy asks for times that are out of bounds.
    pub(super) fn terms(
        &self,
        sync: bool,
        options: QueueOptions,
        limits: &Limits,
    ) -> Result<Terms, QueueError> {
        let policy = self.attached.as_ref().and_then(|attached| attached.policy.as_ref());
        let asked = |pick: fn(&Policy) -> Option<u64>| policy.and_then(pick).filter(|millis| *millis > 0);
        let execution_timeout = match asked(|policy| policy.execution_timeout) {
            None => options.execution_timeout.unwrap_or(limits.execution_timeout),
            Some(millis) => within(
                "policy.executionTimeout",
                millis,
                limits.execution_timeout_min,
                limits.execution_timeout_max,
            )?,
        };
        let ttl = match asked(|policy| policy.ttl) {
            None => limits.ttl,
            Some(millis) => within("policy.ttl", millis, limits.ttl_min, limits.ttl_max)?,
        };
        let retention = if sync { limits.runsync_retention } else { limits.run_retention };
        Ok(Terms { execution_timeout, ttl, retention })
    }
}

fn within(name: &str, millis: u64, min: Duration, max: Duration) -> Result<Duration, QueueError> {
    let asked = Duration::from_millis(millis);
    if (min..=max).contains(&asked) {
        return Ok(asked);
    }
    let (min, max) = (min.as_millis(), max.as_millis());
    Err(QueueError::Invalid(format!(
        "{name} of {millis} ms is out of bounds: {min} to {max} ms are possible"
    )))
}
