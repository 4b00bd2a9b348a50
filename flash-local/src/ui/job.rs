//! Jobs, as the page shows them.

use flash_core::clock::Timestamp;
use flash_core::from_error_string;
use flash_queue::store::{JobView, Listing};
use flash_queue::{Queue, QueueError};
use serde::Serialize;

use super::payload::{Part, part, text};

/// Jobs of a page of the list.
const PAGE: usize = 50;

/// Characters of an error that a list shows.
const SHORT: usize = 200;

/// Streamed pieces that are shown, the youngest.
const CHUNKS: usize = 200;

/// Some jobs, the youngest first.
#[derive(Debug, Serialize)]
pub(super) struct Page {
    jobs: Vec<JobShown>,
    /// Whether there are others behind the last one.
    more: bool,
}

impl Page {
    pub(super) async fn read(queue: &Queue, listing: Listing) -> Result<Self, QueueError> {
        let mut found = queue.list(Listing { most: PAGE + 1, ..listing }).await?;
        let more = found.len() > PAGE;
        found.truncate(PAGE);
        Ok(Self { jobs: found.iter().map(JobShown::of).collect(), more })
    }
}

#[derive(Debug, Serialize)]
struct JobShown {
    id: String,
    status: &'static str,
    /// Moments in Unix milliseconds.
    submitted: u64,
    taken: Option<u64>,
    ended: Option<u64>,
    worker: Option<String>,
    retries: u32,
    code: Option<String>,
    message: Option<String>,
}

impl JobShown {
    fn of(view: &JobView) -> Self {
        let state = &view.state;
        let error = view.job.error.as_deref().map(from_error_string);
        Self {
            id: view.job.id.to_string(),
            status: state.status.as_str(),
            submitted: state.submitted.as_millis(),
            taken: state.taken.map(Timestamp::as_millis),
            ended: state.ended.map(Timestamp::as_millis),
            worker: state.worker.as_ref().map(ToString::to_string),
            retries: state.retries,
            code: error.as_ref().map(|error| error.code.to_string()),
            message: error.map(|error| error.message.chars().take(SHORT).collect()),
        }
    }
}

#[derive(Debug, Serialize)]
pub(super) struct Detail<'a> {
    #[serde(flatten)]
    job: JobShown,
    input: Option<Part<'a>>,
    output: Option<Part<'a>>,
    error: Option<Part<'a>>,
    chunks: Vec<Part<'a>>,
    /// How many pieces wait, also those that are not shown.
    chunk_count: usize,
    webhook: Option<&'a str>,
    low_priority: bool,
    execution_timeout: u128,
    ttl: u128,
    retention: u128,
}

/// A job with its payloads.
pub(super) fn detail(view: &JobView) -> Detail<'_> {
    let terms = view.state.terms;
    Detail {
        job: JobShown::of(view),
        input: view.input.as_ref().map(part),
        output: view.job.output.as_ref().map(part),
        error: view.job.error.as_deref().map(text),
        chunks: view.chunks.iter().skip(view.chunks.len().saturating_sub(CHUNKS)).map(part).collect(),
        chunk_count: view.chunks.len(),
        webhook: view.webhook.as_deref(),
        low_priority: terms.low_priority,
        execution_timeout: terms.execution_timeout.as_millis(),
        ttl: terms.ttl.as_millis(),
        retention: terms.retention.as_millis(),
    }
}
