//! A job as a caller hands it in.

use std::sync::Arc;
use std::time::Duration;

use flash_core::wire::{Policy, RunRequest};
use serde::Deserialize;
use serde_json::value::RawValue;

use super::QueueOptions;
use crate::machine::Terms;
use crate::store::{Attached, IdempotencyKey};
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
        Some(submission.attached(Attached {
            webhook: request.webhook,
            policy: request.policy,
            extra,
            key: None,
        }))
    }

    /// Handing the same input in again under this name gives the same job, for as long as it is kept.
    #[must_use]
    pub fn idempotency_key(mut self, name: impl Into<String>) -> Self {
        let key = IdempotencyKey { name: name.into(), fingerprint: fingerprint_of(self.input.get()) };
        let mut attached = self.attached.as_deref().cloned().unwrap_or_default();
        attached.key = Some(key);
        self.attached = Some(Arc::new(attached));
        self
    }

    /// The idempotency key inside the input: `key` of `__flash`, which functions of Flash are sent.
    pub(crate) fn inner_key(&self) -> Option<String> {
        #[derive(Deserialize)]
        struct Input<'a> {
            #[serde(borrow, rename = "__flash")]
            flash: Option<Inner<'a>>,
        }
        #[derive(Deserialize)]
        struct Inner<'a> {
            #[serde(borrow)]
            key: Option<std::borrow::Cow<'a, str>>,
        }
        let text = self.input.get();
        // Nearly no input has one, and none is parsed to find that out.
        memchr::memmem::find(text.as_bytes(), br#""__flash""#)?;
        let input: Input<'_> = serde_json::from_str(text).ok()?;
        input.flash?.key.map(std::borrow::Cow::into_owned)
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
        let low_priority = policy.and_then(|policy| policy.low_priority).unwrap_or(false);
        Ok(Terms { execution_timeout, ttl, retention, low_priority })
    }
}

/// Tells inputs apart. What Flash sends along is another with every call, a trace and a deadline, and does not count.
fn fingerprint_of(input: &str) -> u64 {
    use std::borrow::Cow;
    use std::collections::BTreeMap;
    if !input.contains("\"__flash\"") {
        return fingerprint(input);
    }
    #[derive(Deserialize)]
    struct Entries<'a>(#[serde(borrow)] BTreeMap<Cow<'a, str>, &'a RawValue>);
    let Ok(Entries(mut entries)) = serde_json::from_str(input) else { return fingerprint(input) };
    entries.remove("__flash");
    let text: String = entries.iter().map(|(name, value)| format!("{name:?}:{value},")).collect();
    fingerprint(&text)
}

/// FNV-1a: the same in every process and version, since a store keeps it. It tells accidents apart, not attackers: who has the
/// key may reuse it as they like.
fn fingerprint(text: &str) -> u64 {
    text.bytes()
        .fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
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
