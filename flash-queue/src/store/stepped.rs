//! What the operations of a store answer.

use flash_core::clock::Timestamp;
use flash_core::ids::JobId;
use flash_core::wire::{Job, JobStatus, TakenJob};

use crate::Payload;
use crate::machine::{Effects, JobState, Outcome};

/// A step that was made and saved.
#[derive(Clone, Debug)]
pub struct Stepped {
    /// What is left to do for the engine. Queueing, payloads and removal are done.
    pub effects: Effects,
    /// The job after the step, also when it was removed by it.
    pub job: Job<Payload>,
    /// When time alone will do something to it.
    pub due: Timestamp,
    /// The URL that wants to hear of it, when the job ended by this step.
    pub webhook: Option<String>,
}

/// Jobs that a worker took, oldest first.
#[derive(Clone, Debug, Default)]
pub struct Claimed {
    /// The jobs.
    pub jobs: Vec<TakenJob<Payload>>,
    /// When time alone will do something to the first of them.
    pub due: Option<Timestamp>,
    /// Queued jobs that ended instead, because what they need can not be read any more.
    pub failed: Vec<Stepped>,
}

impl Claimed {
    /// What a worker gets beside the envelope: the caller's other keys, and `retries`, how often a worker was lost with the
    /// job, where that happened. Only the queue knows that, so a caller's own `retries` does not count.
    pub fn extra(callers: Vec<(String, Payload)>, retries: u32) -> Vec<(String, Payload)> {
        let mut extra = callers;
        extra.retain(|(key, _)| key != "retries");
        if retries > 0
            && let Ok(json) = Payload::from_json(retries.to_string())
        {
            extra.push(("retries".to_owned(), json));
        }
        extra
    }
}

/// Streamed pieces that were read, and where their job stands.
#[derive(Clone, Debug)]
pub struct Drained {
    /// Where the job stood when the pieces were taken out.
    pub status: JobStatus,
    /// The pieces, oldest first.
    pub chunks: Vec<Payload>,
}

/// What became of a streamed piece.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pushed {
    /// It waits to be read.
    Kept,
    /// The worker does not hold the job (any more).
    NotHeld,
    /// Too much waits to be read already.
    Full,
}

/// How many jobs stand where. The ended ones are counted from the store's start, also after they were removed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Waiting for a worker.
    pub in_queue: u64,
    /// Those of them that do not make the platform start workers (`policy.lowPriority`).
    pub low_priority: u64,
    /// Held by a worker.
    pub in_progress: u64,
    /// Ended with a result.
    pub completed: u64,
    /// Ended with an error, or not done in time.
    pub failed: u64,
    /// Dispatched again after their worker was lost.
    pub retried: u64,
    /// Workers that hold at least one job.
    pub busy_workers: u64,
}

/// A job as callers see it, put together from what a store keeps of it.
pub fn shown(id: &JobId, state: &JobState, outcome: &Outcome) -> Job<Payload> {
    Job {
        id: id.clone(),
        status: state.status,
        delay_time: state.delay_time(),
        execution_time: state.execution_time(),
        worker_id: state.worker.clone(),
        output: outcome.output.clone(),
        error: outcome.error.as_deref().map(str::to_owned),
        retries: (state.retries > 0).then_some(state.retries),
    }
}
