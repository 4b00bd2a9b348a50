//! Why a queue refuses something.

use std::time::Duration;

use flash_core::ids::{EndpointId, JobId};
use flash_core::wire::JobStatus;

use crate::StoreError;

/// A request that a queue can not fulfil.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum QueueError {
    /// There is no endpoint of this id.
    #[error("no endpoint \"{0}\" here")]
    UnknownEndpoint(EndpointId),
    /// There is no job of this id: it never was, or its retention or its ttl is over.
    #[error("no job \"{0}\"\nhelp: the job never existed, or its result is not kept any more")]
    UnknownJob(JobId),
    /// The caller's token is missing or wrong.
    #[error("missing or wrong API key\nhelp: send it as `Authorization: Bearer KEY`")]
    Unauthorized,
    /// The body is over its limit.
    #[error("body of {size} bytes is over the limit of {limit} bytes of {operation}")]
    BodyTooLarge {
        /// Bytes that were sent.
        size: u64,
        /// Bytes that are allowed.
        limit: usize,
        /// What the limit belongs to, for example `/run`.
        operation: &'static str,
    },
    /// The body is not JSON.
    #[error("body is not JSON: {0}")]
    NotJson(String),
    /// The body has no `input`.
    #[error("body has no \"input\"\nhelp: the arguments belong into it, like this: {shape}")]
    NoInput {
        /// What would have been right.
        shape: String,
    },
    /// Some part of the request is wrong.
    #[error("{0}")]
    Invalid(String),
    /// Only jobs that failed or were not done in time can be retried.
    #[error("job is {0} and can not be retried\nhelp: only FAILED and TIMED_OUT jobs can")]
    NotRetryable(JobStatus),
    /// The idempotency key belongs to another job.
    #[error(
        "idempotency key belongs to job \"{0}\", which has another input\nhelp: use a new key for a new job"
    )]
    KeyReused(JobId),
    /// Too many requests.
    #[error("too many requests to {operation}: {limit}\nhelp: try again in {} s", .retry_after.as_secs().max(1))]
    RateLimited {
        /// What was asked for.
        operation: &'static str,
        /// The limit that was reached.
        limit: String,
        /// When another request may be served.
        retry_after: Duration,
    },
    /// A result is over its limit.
    #[error("result of {size} bytes is over the limit of {limit} bytes")]
    ResultTooLarge {
        /// Bytes that the worker posted.
        size: u64,
        /// Bytes that are allowed.
        limit: usize,
        /// Whether the job ended without output all the same, as the live platform does it.
        vanished: bool,
    },
    /// Too many streamed pieces of the job wait to be read.
    #[error("more than {limit} bytes of the stream wait to be read")]
    StreamFull {
        /// Bytes that may wait.
        limit: usize,
    },
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}
