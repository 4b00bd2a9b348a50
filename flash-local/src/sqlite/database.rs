//! The database file: its format, its settings, its check.

use std::path::Path;

use rusqlite::{Connection, OpenFlags};

use super::directory::{DataError, Directory};
use super::options::{Durability, SqliteOptions};

/// The format of the tables, in `user_version`.
const FORMAT: i64 = 2;

/// From format 1, which had a table for the number of the last commit alone.
const FROM_1: &str = "BEGIN IMMEDIATE;
INSERT INTO endpoint (no, name, completed, failed, retried) SELECT 0, '', commits, 0, 0 FROM meta;
DROP TABLE meta;
PRAGMA user_version = 2;
COMMIT;";

const SCHEMA: &str = "
CREATE TABLE endpoint (
    no INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE,
    completed INTEGER NOT NULL, failed INTEGER NOT NULL, retried INTEGER NOT NULL
);
-- Not an endpoint: `completed` is the number of the last commit. Nearly every commit counts a job, and writes this page anyway.
INSERT INTO endpoint VALUES (0, '', 0, 0, 0);
-- Times are milliseconds, moments since the Unix epoch. `place` orders the queue. `webhook`: 0 none, 1 wanted, 2 to be called.
-- Payloads are in tables of their own, because a row is written again at each step of its job.
CREATE TABLE job (
    seq INTEGER PRIMARY KEY, endpoint INTEGER NOT NULL, id TEXT NOT NULL, status TEXT NOT NULL, place INTEGER NOT NULL,
    submitted INTEGER NOT NULL, taken INTEGER, ended INTEGER, worker TEXT, retries INTEGER NOT NULL,
    execution_timeout INTEGER NOT NULL, ttl INTEGER NOT NULL, retention INTEGER NOT NULL, low_priority INTEGER NOT NULL,
    webhook INTEGER NOT NULL, has INTEGER NOT NULL, sum INTEGER NOT NULL, error TEXT
);
CREATE UNIQUE INDEX job_id ON job (id, endpoint);
CREATE TABLE input (seq INTEGER PRIMARY KEY, sum INTEGER NOT NULL, json TEXT NOT NULL);
CREATE TABLE output (seq INTEGER PRIMARY KEY, sum INTEGER NOT NULL, json TEXT NOT NULL);
CREATE TABLE attached (seq INTEGER PRIMARY KEY, sum INTEGER NOT NULL, json TEXT NOT NULL);
CREATE TABLE chunk (
    seq INTEGER NOT NULL, n INTEGER NOT NULL, sum INTEGER NOT NULL, json TEXT NOT NULL, PRIMARY KEY (seq, n)
) WITHOUT ROWID;
CREATE TABLE idempotency (
    endpoint INTEGER NOT NULL, name TEXT NOT NULL, seq INTEGER NOT NULL, fingerprint INTEGER NOT NULL,
    PRIMARY KEY (endpoint, name)
) WITHOUT ROWID;
";

/// Bytes of pages that a connection keeps in memory. Queued payloads stay on the disk.
const WRITER_CACHE_KIB: i64 = 8_192;
const READER_CACHE_KIB: i64 = 4_096;
/// Statements that are kept ready. All of ours.
const STATEMENTS: usize = 64;

/// Opens the database for the writer, makes it if it is not there, and checks it.
pub(super) fn open(directory: &Directory, options: SqliteOptions) -> Result<Connection, DataError> {
    let dir = directory.path();
    let failed = |source: rusqlite::Error| refuse(dir, source);
    let db = Connection::open(directory.database()).map_err(failed)?;
    settle(&db, WRITER_CACHE_KIB).map_err(failed)?;
    let synchronous = match options.durability {
        Durability::Full => "FULL",
        Durability::Process => "NORMAL",
    };
    let mode: String = db.query_row("PRAGMA journal_mode = WAL", [], |row| row.get(0)).map_err(failed)?;
    if mode != "wal" {
        tracing::warn!(mode, "the data directory's file system has no write-ahead log");
    }
    db.pragma_update(None, "synchronous", synchronous).map_err(failed)?;
    // A checkpoint holds up the group that is written meanwhile: rather few large ones. 16 MiB of log at most, as a rule.
    db.pragma_update(None, "wal_autocheckpoint", 4_096).map_err(failed)?;
    let format: i64 = db.query_row("PRAGMA user_version", [], |row| row.get(0)).map_err(failed)?;
    match format {
        0 => {
            let make = format!("BEGIN IMMEDIATE; {SCHEMA} PRAGMA user_version = {FORMAT}; COMMIT;");
            db.execute_batch(&make).map_err(failed)?;
        }
        FORMAT => check(&db, dir)?,
        1 => {
            check(&db, dir)?;
            update(&db).map_err(failed)?;
        }
        found => return Err(DataError::Newer { dir: dir.to_owned(), found, known: FORMAT }),
    }
    if let Some(bytes) = options.max_bytes {
        let pages = i64::try_from(bytes / 4_096).unwrap_or(i64::MAX).max(64);
        db.query_row(&format!("PRAGMA max_page_count = {pages}"), [], |_| Ok(())).map_err(failed)?;
    }
    Ok(db)
}

/// Brings a database of an earlier format to this one.
pub(super) fn update(db: &Connection) -> rusqlite::Result<()> {
    let format: i64 = db.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    if format == 1 { db.execute_batch(FROM_1) } else { Ok(()) }
}

/// Opens the database for the reader.
pub(super) fn open_reader(directory: &Directory) -> Result<Connection, DataError> {
    let failed = |source: rusqlite::Error| refuse(directory.path(), source);
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let db = Connection::open_with_flags(directory.database(), flags).map_err(failed)?;
    settle(&db, READER_CACHE_KIB).map_err(failed)?;
    db.pragma_update(None, "query_only", true).map_err(failed)?;
    Ok(db)
}

fn settle(db: &Connection, cache_kib: i64) -> rusqlite::Result<()> {
    // Only somebody who looks into the database from outside can be in the way.
    db.busy_timeout(std::time::Duration::from_secs(10))?;
    db.pragma_update(None, "cache_size", -cache_kib)?;
    db.pragma_update(None, "temp_store", "MEMORY")?;
    db.set_prepared_statement_cache_capacity(STATEMENTS);
    Ok(())
}

/// Looks for damage of the file itself. Whether rows hold what was written is seen when they are read.
fn check(db: &Connection, dir: &Path) -> Result<(), DataError> {
    let found: Result<String, _> = db.query_row("PRAGMA quick_check(1)", [], |row| row.get(0));
    match found {
        Ok(text) if text == "ok" => Ok(()),
        Ok(problem) => Err(DataError::Damaged { dir: dir.to_owned(), problem }),
        Err(error) => Err(refuse(dir, error)),
    }
}

/// The last commit that is in the database.
pub(super) fn commits(db: &Connection, dir: &Path) -> Result<u64, DataError> {
    let commits: i64 = db
        .query_row("SELECT completed FROM endpoint WHERE no = 0", [], |row| row.get(0))
        .map_err(|source| refuse(dir, source))?;
    Ok(commits.unsigned_abs())
}

pub(super) fn refuse(dir: &Path, source: rusqlite::Error) -> DataError {
    use rusqlite::ErrorCode::{DatabaseCorrupt, NotADatabase};
    match source.sqlite_error_code() {
        Some(DatabaseCorrupt | NotADatabase) => {
            DataError::Damaged { dir: dir.to_owned(), problem: source.to_string() }
        }
        _ => DataError::Database { dir: dir.to_owned(), source: Box::new(source) },
    }
}
