use crate::call::OnWait;
use crate::wire::Policy;

/// What a caller asks of one call.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct CallOptions {
    /// How often a call that failed may be repeated.
    pub retries: u32,
    /// Marks requests that mean the same call.
    pub idempotency_key: Option<String>,
    /// Whether a request may be sent again although the callee may have got it.
    pub allow_duplicates: bool,
    /// Times and priority of the job.
    pub policy: Policy,
    /// Who is told of the job's end.
    pub webhook: Option<String>,
    /// Whether the job is to end when nobody waits for it any more, from its submission on.
    pub cancel_on_drop: bool,
    /// Who is told why the call waits.
    pub on_wait: Option<OnWait>,
}

/// How urgent a job is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Priority {
    /// The job makes the platform start workers.
    #[default]
    Normal,
    /// The job waits for workers that are there for others (`policy.lowPriority`).
    Low,
}
