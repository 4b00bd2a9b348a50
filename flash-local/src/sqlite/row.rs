//! The row of a job.

use std::sync::Arc;
use std::time::Duration;

use flash_core::clock::Timestamp;
use flash_core::ids::{JobId, WorkerId};
use flash_core::wire::JobStatus;
use flash_queue::machine::{JobState, Terms};
use rusqlite::types::Type;

use super::fault::Fault;
use super::sum::Sum;

/// What a job has in other tables.
pub(super) const INPUT: i64 = 1;
pub(super) const OUTPUT: i64 = 2;
pub(super) const ATTACHED: i64 = 4;
pub(super) const CHUNKS: i64 = 8;
/// Its input is worth being taken out when nobody can need it again.
pub(super) const LARGE_INPUT: i64 = 16;

/// Values of `webhook`.
pub(super) const NO_WEBHOOK: i64 = 0;
pub(super) const WEBHOOK: i64 = 1;
pub(super) const WEBHOOK_DUE: i64 = 2;

/// The status of a job whose record turned out to be damaged. No job that is whole has it, so it counts nowhere.
pub(super) const SET_ASIDE: &str = "DAMAGED";

/// `SELECT` of the columns that [`Row::read`] expects, in their order.
macro_rules! select_job {
    () => {
        "SELECT seq, endpoint, id, status, place, submitted, taken, ended, worker, retries, \
         execution_timeout, ttl, retention, low_priority, webhook, has, sum, error FROM job"
    };
}
pub(super) use select_job;

/// A job without its payloads.
#[derive(Clone, Debug)]
pub(super) struct Row {
    pub(super) seq: i64,
    pub(super) endpoint: i64,
    pub(super) id: JobId,
    /// Its place in the queue. It counts only while the job is queued.
    pub(super) place: i64,
    pub(super) state: JobState,
    pub(super) webhook: i64,
    pub(super) has: i64,
    pub(super) error: Option<Arc<str>>,
}

impl Row {
    /// Reads a row of `select_job` and verifies it.
    pub(super) fn read(row: &rusqlite::Row<'_>) -> rusqlite::Result<Result<Self, Fault>> {
        let status: String = row.get(3)?;
        let Some(status) = JobStatus::ALL.into_iter().find(|known| known.as_str() == status) else {
            let id: String = row.get(2)?;
            return Ok(Err(Fault::Damaged(format!("the record of job {id:?} is damaged"))));
        };
        let time = |index| Ok::<_, rusqlite::Error>(row.get::<_, Option<i64>>(index)?.map(moment));
        let read = Self {
            seq: row.get(0)?,
            endpoint: row.get(1)?,
            id: JobId::from(row.get::<_, String>(2)?),
            place: row.get(4)?,
            state: JobState {
                status,
                submitted: moment(row.get(5)?),
                taken: time(6)?,
                ended: time(7)?,
                worker: row.get::<_, Option<String>>(8)?.map(WorkerId::from),
                retries: u32::try_from(row.get::<_, i64>(9)?).map_err(|error| {
                    rusqlite::Error::FromSqlConversionFailure(9, Type::Integer, Box::new(error))
                })?,
                terms: Terms {
                    execution_timeout: period(row.get(10)?),
                    ttl: period(row.get(11)?),
                    retention: period(row.get(12)?),
                    low_priority: row.get(13)?,
                },
            },
            webhook: row.get(14)?,
            has: row.get(15)?,
            error: row.get::<_, Option<String>>(17)?.map(Into::into),
        };
        let sum: i64 = row.get(16)?;
        if sum != read.sum() {
            return Ok(Err(Fault::Damaged(format!(
                "the record of job {:?} is damaged: it does not have its checksum",
                read.id.as_str()
            ))));
        }
        Ok(Ok(read))
    }

    pub(super) fn has(&self, what: i64) -> bool {
        self.has & what != 0
    }

    pub(super) fn sum(&self) -> i64 {
        let state = &self.state;
        Sum::default()
            .number(self.seq)
            .number(self.endpoint)
            .text(self.id.as_str())
            .text(state.status.as_str())
            .number(self.place)
            .number(millis(state.submitted))
            .optional(state.taken.map(millis))
            .optional(state.ended.map(millis))
            .optional_text(state.worker.as_ref().map(WorkerId::as_str))
            .number(state.retries.into())
            .number(length(state.terms.execution_timeout))
            .number(length(state.terms.ttl))
            .number(length(state.terms.retention))
            .number(state.terms.low_priority.into())
            .number(self.webhook)
            .number(self.has)
            .optional_text(self.error.as_deref())
            .done()
    }
}

pub(super) fn moment(millis: i64) -> Timestamp {
    Timestamp::from_millis(u64::try_from(millis).unwrap_or_default())
}

pub(super) fn millis(at: Timestamp) -> i64 {
    i64::try_from(at.as_millis()).unwrap_or(i64::MAX)
}

pub(super) fn period(millis: i64) -> Duration {
    Duration::from_millis(u64::try_from(millis).unwrap_or_default())
}

pub(super) fn length(period: Duration) -> i64 {
    i64::try_from(period.as_millis()).unwrap_or(i64::MAX)
}
