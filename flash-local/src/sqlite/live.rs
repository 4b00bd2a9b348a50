//! The records of jobs that something will happen to soon, as they were written last.

use std::collections::HashMap;

use flash_core::ids::JobId;
use flash_core::wire::JobStatus;
use flash_queue::Payload;

use super::row::Row;

/// Queued jobs that are remembered at most. Those that a worker has always are: it will answer.
const QUEUED_MAX: usize = 4_096;

/// Bytes of inputs that are remembered at most.
const INPUTS_MAX: usize = 4 * 1024 * 1024;

/// Spares reading a record again that was just written.
#[derive(Debug, Default)]
pub(super) struct Live {
    rows: HashMap<i64, Row>,
    /// By endpoint and id.
    seqs: HashMap<(i64, JobId), i64>,
    /// Of queued jobs: a worker will ask for them.
    inputs: HashMap<i64, Payload>,
    input_bytes: usize,
}

impl Live {
    pub(super) fn by_seq(&self, seq: i64) -> Option<&Row> {
        self.rows.get(&seq)
    }

    pub(super) fn by_id(&self, endpoint: i64, id: &JobId) -> Option<&Row> {
        self.rows.get(self.seqs.get(&(endpoint, id.clone()))?)
    }

    /// A record was written.
    pub(super) fn remember(&mut self, row: &Row) {
        let wanted = match row.state.status {
            JobStatus::InQueue => self.rows.len() < QUEUED_MAX,
            JobStatus::InProgress => true,
            _ => false,
        };
        if !wanted {
            return self.forget(row);
        }
        if row.state.status != JobStatus::InQueue {
            self.take_input(row);
        }
        if self.rows.insert(row.seq, row.clone()).is_none() {
            self.seqs.insert((row.endpoint, row.id.clone()), row.seq);
        }
    }

    /// The input of a job that was just written, and is queued.
    pub(super) fn keep_input(&mut self, row: &Row, input: Payload) {
        if self.rows.contains_key(&row.seq) && self.input_bytes + input.len() <= INPUTS_MAX {
            self.input_bytes += input.len();
            self.inputs.insert(row.seq, input);
        }
    }

    /// The input of a job, if it is here. It is not from now on.
    pub(super) fn take_input(&mut self, row: &Row) -> Option<Payload> {
        let input = self.inputs.remove(&row.seq)?;
        self.input_bytes -= input.len();
        Some(input)
    }

    pub(super) fn forget(&mut self, row: &Row) {
        self.take_input(row);
        if self.rows.remove(&row.seq).is_some() {
            self.seqs.remove(&(row.endpoint, row.id.clone()));
        }
    }

    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }
}
