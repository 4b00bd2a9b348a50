//! The records of jobs that something will happen to soon, as they were written last.

use std::collections::HashMap;

use flash_core::ids::JobId;
use flash_core::wire::JobStatus;

use super::row::Row;

/// Queued jobs that are remembered at most. Those that a worker has always are: it will answer.
const QUEUED_MAX: usize = 4_096;

/// Spares reading a record again that was just written.
#[derive(Debug, Default)]
pub(super) struct Live {
    rows: HashMap<i64, Row>,
    /// By endpoint and id.
    seqs: HashMap<(i64, JobId), i64>,
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
        if self.rows.insert(row.seq, row.clone()).is_none() {
            self.seqs.insert((row.endpoint, row.id.clone()), row.seq);
        }
    }

    pub(super) fn forget(&mut self, row: &Row) {
        if self.rows.remove(&row.seq).is_some() {
            self.seqs.remove(&(row.endpoint, row.id.clone()));
        }
    }

    pub(super) fn clear(&mut self) {
        self.rows.clear();
        self.seqs.clear();
    }
}
