//! Going on with a database that lost something.

use std::path::Path;

use rusqlite::Connection;

use super::database;
use super::directory::{DataError, Directory};
use super::mark::Mark;
use super::payloads::{Table, get_attached};
use super::row::{ATTACHED, INPUT, OUTPUT, Row, select_job};

/// What a repair found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Repaired {
    /// Jobs that are whole.
    pub jobs: u64,
    /// Jobs that could not be read any more, and are gone.
    pub damaged: Vec<String>,
    /// Acknowledged commits that are gone.
    pub lost_commits: u64,
}

/// Accepts what a data directory lost: jobs whose records or payloads are damaged are removed, and the mark of commits is set
/// to where the database ends. The platform starts again afterwards. A copy of the directory, if there is one, is the better
/// way.
///
/// # Errors
/// When a platform runs on the directory, or the database file itself can not be read.
pub fn repair(dir: impl AsRef<Path>) -> Result<Repaired, DataError> {
    let directory = Directory::take(dir.as_ref())?;
    let failed = |source| database::refuse(directory.path(), source);
    let db = Connection::open(directory.database()).map_err(failed)?;
    db.execute_batch("PRAGMA synchronous = FULL; REINDEX; BEGIN IMMEDIATE").map_err(failed)?;
    let mut repaired = Repaired::default();
    for (seq, id, whole) in jobs(&db).map_err(failed)? {
        if whole {
            repaired.jobs += 1;
            continue;
        }
        repaired.damaged.push(id);
        for table in ["job", "input", "output", "attached", "chunk", "idempotency"] {
            db.execute(&format!("DELETE FROM {table} WHERE seq = ?1"), [seq]).map_err(failed)?;
        }
    }
    db.execute_batch("COMMIT").map_err(failed)?;
    database::update(&db).map_err(failed)?;
    db.execute_batch("PRAGMA wal_checkpoint(TRUNCATE)").map_err(failed)?;
    let commits = database::commits(&db, directory.path())?;
    let io = |source| DataError::Io { path: directory.mark(), source };
    let (mut mark, acknowledged) = Mark::open(&directory.mark()).map_err(io)?;
    repaired.lost_commits = acknowledged.unwrap_or_default().saturating_sub(commits);
    mark.reset(commits).map_err(io)?;
    Ok(repaired)
}

/// All jobs, and whether they can be read with all their payloads.
fn jobs(db: &Connection) -> rusqlite::Result<Vec<(i64, String, bool)>> {
    let mut statement = db.prepare(select_job!())?;
    let mut rows = statement.query([])?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        let seq: i64 = row.get(0)?;
        let id = row.get::<_, String>(2).unwrap_or_else(|_| format!("(row {seq})"));
        // A value of the wrong type is damage too.
        let whole = Row::read(row).is_ok_and(|read| read.is_ok_and(|row| is_whole(db, &row)));
        found.push((seq, id, whole));
    }
    Ok(found)
}

fn is_whole(db: &Connection, row: &Row) -> bool {
    (!row.has(INPUT) || Table::Input.get(db, row).is_ok())
        && (!row.has(OUTPUT) || Table::Output.get(db, row).is_ok())
        && (!row.has(ATTACHED) || get_attached(db, row).is_ok())
}
