//! One job in memory.

use std::collections::VecDeque;
use std::sync::Arc;

use flash_core::clock::Timestamp;
use flash_core::ids::JobId;

use crate::Payload;
use crate::machine::{JobState, Outcome};
use crate::store::stepped::shown;
use crate::store::{Attached, IdempotencyKey, JobView, NewJob};

#[derive(Debug)]
pub(super) struct Record {
    pub(super) id: JobId,
    pub(super) state: JobState,
    /// `None` when nobody can need it again, or when it was empty and is stripped.
    pub(super) input: Option<Payload>,
    pub(super) attached: Option<Arc<Attached>>,
    pub(super) outcome: Outcome,
    /// Most jobs do not stream.
    pub(super) chunks: Option<Box<Chunks>>,
    /// Counts its times in the queue. An entry of the queue with another number is an old one.
    pub(super) turn: u32,
    /// The earliest alarm that is set for it.
    pub(super) alarm: Timestamp,
    /// How many jobs came before it.
    pub(super) number: u64,
    /// The bytes it is counted with among the ended jobs. Zero while it has not ended.
    pub(super) counted: usize,
}

#[derive(Debug, Default)]
pub(super) struct Chunks {
    pub(super) waiting: VecDeque<Payload>,
    pub(super) bytes: usize,
}

impl Record {
    pub(super) fn new(job: NewJob, number: u64, now: Timestamp) -> Self {
        Self {
            id: job.id,
            state: JobState::submitted(now, job.terms),
            input: job.input,
            attached: job.attached,
            outcome: Outcome::default(),
            chunks: None,
            turn: 0,
            alarm: Timestamp::from_millis(u64::MAX),
            number,
            counted: 0,
        }
    }

    pub(super) fn idempotency(&self) -> Option<&IdempotencyKey> {
        self.attached.as_ref()?.key.as_ref()
    }

    pub(super) fn webhook(&self) -> Option<String> {
        self.attached.as_ref()?.webhook.clone()
    }

    /// The job as whoever runs the platform sees it.
    pub(super) fn view(&self, payloads: bool) -> JobView {
        let nothing = Outcome { output: None, error: self.outcome.error.clone() };
        JobView {
            job: shown(&self.id, &self.state, if payloads { &self.outcome } else { &nothing }),
            input: self.input.clone().filter(|_| payloads),
            state: self.state.clone(),
            webhook: self.webhook(),
            chunks: match &self.chunks {
                Some(chunks) if payloads => chunks.waiting.iter().cloned().collect(),
                _ => Vec::new(),
            },
        }
    }

    /// Roughly the bytes that it takes.
    pub(super) fn bytes(&self) -> usize {
        let payload = |payload: &Option<Payload>| payload.as_ref().map_or(0, Payload::len);
        size_of::<Self>() + 128 + payload(&self.input) + payload(&self.outcome.output)
    }
}
