//! What a step asks its surroundings to do.

use std::sync::Arc;

use flash_core::ids::WorkerId;

use crate::Payload;

/// Whether an event counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Verdict {
    /// The job changed.
    Applied,
    /// The event came too late, or from a worker that does not have the job. Nothing changed.
    #[default]
    Ignored,
    /// The caller asked for something that this state does not allow. Nothing changed.
    Refused,
}

/// Which end of the queue a job goes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// It is the oldest: it was dispatched before.
    Front,
    /// It is the youngest.
    Back,
}

/// What a job shows beside its state.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Outcome {
    /// The result; while the job is in progress, the latest progress report.
    pub output: Option<Payload>,
    /// Why it failed.
    pub error: Option<Arc<str>>,
}

/// What one step did and what follows from it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Effects {
    /// Whether the event counted.
    pub verdict: Verdict,
    /// Put the job into the queue.
    pub enqueue: Option<Place>,
    /// The job's output and error are these from now on.
    pub outcome: Option<Outcome>,
    /// Streamed pieces that were not read yet belong to a run that does not count any more.
    pub drop_chunks: bool,
    /// Nobody can need the input again.
    pub drop_input: bool,
    /// Tell this worker to stop the job and to post nothing.
    pub stop: Option<WorkerId>,
    /// The job entered a terminal state by this step: wake those who wait for its end.
    pub ended: bool,
    /// Forget the job.
    pub remove: bool,
}

impl Effects {
    pub(super) fn applied() -> Self {
        Self { verdict: Verdict::Applied, ..Self::default() }
    }

    pub(super) fn ignored() -> Self {
        Self::default()
    }

    pub(super) fn refused() -> Self {
        Self { verdict: Verdict::Refused, ..Self::default() }
    }
}
