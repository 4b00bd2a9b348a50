//! What can be read of jobs, in a transaction or outside of one.

use flash_core::ids::JobId;
use flash_core::wire::JobStatus;
use flash_queue::Payload;
use flash_queue::machine::Outcome;
use flash_queue::store::{Cursor, JobView, Listing, Webhook, shown};
use rusqlite::{Connection, OptionalExtension, params};

use super::fault::Fault;
use super::payloads::{self, Table, get_attached};
use super::row::{ATTACHED, CHUNKS, INPUT, OUTPUT, Row, WEBHOOK_DUE, millis, select_job};

pub(super) fn by_id(db: &Connection, endpoint: i64, id: &JobId) -> Result<Option<Row>, Fault> {
    let sql = concat!(select_job!(), " WHERE id = ?1 AND endpoint = ?2");
    db.prepare_cached(sql)?.query_row((id.as_str(), endpoint), Row::read).optional()?.transpose()
}

pub(super) fn by_seq(db: &Connection, seq: i64) -> Result<Option<Row>, Fault> {
    let sql = concat!(select_job!(), " WHERE seq = ?1");
    db.prepare_cached(sql)?.query_row([seq], Row::read).optional()?.transpose()
}

/// What callers see.
pub(super) fn outcome(db: &Connection, row: &Row) -> Result<Outcome, Fault> {
    let output = if row.has(OUTPUT) { Some(Table::Output.get(db, row)?) } else { None };
    Ok(Outcome { output, error: row.error.clone() })
}

/// What whoever runs the platform sees.
pub(super) fn view(db: &Connection, row: &Row, payloads: bool) -> Result<JobView, Fault> {
    let outcome =
        if payloads { outcome(db, row)? } else { Outcome { output: None, error: row.error.clone() } };
    let input = if payloads && row.has(INPUT) { Some(Table::Input.get(db, row)?) } else { None };
    let webhook = if row.has(ATTACHED) { get_attached(db, row)?.webhook } else { None };
    let chunks = if payloads && row.has(CHUNKS) { chunks(db, row)? } else { Vec::new() };
    Ok(JobView {
        job: shown(&row.id, &row.state, &outcome),
        input,
        state: row.state.clone(),
        webhook,
        chunks,
    })
}

/// The streamed pieces of a job that wait, oldest first.
pub(super) fn chunks(db: &Connection, row: &Row) -> Result<Vec<Payload>, Fault> {
    let mut chunks = Vec::new();
    let mut statement = db.prepare_cached("SELECT n, sum, json FROM chunk WHERE seq = ?1 ORDER BY n")?;
    let mut rows = statement.query([row.seq])?;
    while let Some(found) = rows.next()? {
        let (n, sum, json): (i64, i64, String) = (found.get(0)?, found.get(1)?, found.get(2)?);
        let damaged = || {
            let id = row.id.as_str();
            Fault::Damaged(format!(
                "a streamed piece of job {id:?} is damaged: it does not have its checksum"
            ))
        };
        if sum != payloads::sum(row.seq ^ n, &json) {
            return Err(damaged());
        }
        chunks.push(Payload::from_json(json).map_err(|_| damaged())?);
    }
    Ok(chunks)
}

/// The number from which on jobs come after a place.
fn below(db: &Connection, endpoint: i64, before: &Cursor) -> Result<i64, Fault> {
    if let Some(row) = by_id(db, endpoint, &before.id)? {
        return Ok(row.seq);
    }
    // It is gone. Those of its millisecond come a second time rather than not at all.
    let sql = "SELECT MAX(seq) FROM job WHERE endpoint = ?1 AND submitted <= ?2";
    let last: Option<i64> =
        db.prepare_cached(sql)?.query_row((endpoint, millis(before.submitted)), |row| row.get(0))?;
    Ok(last.map_or(0, |last| last + 1))
}

/// The youngest jobs. One whose record is damaged is left out, and told.
pub(super) fn list(db: &Connection, endpoint: i64, listing: &Listing) -> Result<Vec<JobView>, Fault> {
    let sql = concat!(
        select_job!(),
        " WHERE endpoint = ?1 AND (?2 IS NULL OR status = ?2) AND seq < ?3 ",
        "ORDER BY seq DESC LIMIT ?4"
    );
    let mut statement = db.prepare_cached(sql)?;
    let status = listing.status.map(JobStatus::as_str);
    let before = match &listing.before {
        Some(before) => below(db, endpoint, before)?,
        None => i64::MAX,
    };
    let most = i64::try_from(listing.most).unwrap_or(i64::MAX);
    let rows = statement.query_map(params![endpoint, status, before, most], Row::read)?;
    let mut found = Vec::new();
    for row in rows {
        match row.map_err(Fault::from).and_then(|row| view(db, &row?, false)) {
            Ok(view) => found.push(view),
            Err(Fault::Damaged(what)) => tracing::error!(what, "a job can not be listed"),
            Err(fault) => return Err(fault),
        }
    }
    Ok(found)
}

/// The webhooks of ended jobs that have not been called to the end.
pub(super) fn webhooks(db: &Connection, endpoint: i64) -> Result<Vec<Webhook>, Fault> {
    let sql = concat!(select_job!(), " WHERE endpoint = ?1 AND webhook = ?2");
    let mut statement = db.prepare_cached(sql)?;
    let rows = statement.query_map((endpoint, WEBHOOK_DUE), Row::read)?;
    let mut found = Vec::new();
    for row in rows {
        let webhook = row.map_err(Fault::from).and_then(|row| {
            let row = row?;
            let url = get_attached(db, &row)?.webhook;
            Ok(url.map(|url| Webhook { id: row.id, url }))
        });
        match webhook {
            Ok(webhook) => found.extend(webhook),
            Err(Fault::Damaged(what)) => tracing::error!(what, "a webhook can not be called"),
            Err(fault) => return Err(fault),
        }
    }
    Ok(found)
}
