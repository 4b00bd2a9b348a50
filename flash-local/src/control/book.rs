//! Keeps the state: in memory, and in a small database of its own where the platform has a data directory.

use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

use super::ControlError;
use super::state::{Row, State};

/// The state and where it is kept. Changes happen one after the other; readers see either all of one or nothing.
#[derive(Debug)]
pub(super) struct Book {
    state: RwLock<Arc<State>>,
    file: Mutex<Option<File>>,
}

impl Book {
    /// Opens what was kept in `dir`. `None`: nothing is kept.
    pub(super) fn open(dir: Option<&Path>) -> Result<Self, ControlError> {
        let mut state = State::default();
        let file = dir.map(|dir| File::open(&dir.join("control.db"), &mut state)).transpose()?;
        Ok(Self { state: RwLock::new(Arc::new(state)), file: Mutex::new(file) })
    }

    /// The state as it is.
    pub(super) fn read(&self) -> Arc<State> {
        self.state.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Changes the state, all or nothing. What `change` returns is durable when this returns.
    pub(super) fn write<T>(
        &self,
        change: impl FnOnce(&mut State) -> Result<T, ControlError>,
    ) -> Result<T, ControlError> {
        // Held for the whole change, so that no two of them start from the same state.
        let mut file: MutexGuard<'_, _> = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        let mut state = State::clone(&self.read());
        let answer = change(&mut state)?;
        let rows = state.changes()?;
        if let Some(file) = &mut *file {
            file.keep(&rows)?;
        }
        *self.state.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(state);
        Ok(answer)
    }
}

#[cfg(feature = "sqlite")]
use sqlite::File;

#[cfg(feature = "sqlite")]
mod sqlite {
    use rusqlite::{Connection, params};
    use sha2::{Digest, Sha256};

    use super::{ControlError, Path, Row, State};

    /// Raised when rows are written in a way that an older program does not understand.
    const FORMAT: u32 = 1;

    #[derive(Debug)]
    pub(super) struct File(Connection);

    impl From<rusqlite::Error> for ControlError {
        fn from(error: rusqlite::Error) -> Self {
            Self::Storage(error.to_string())
        }
    }

    impl File {
        pub(super) fn open(path: &Path, state: &mut State) -> Result<Self, ControlError> {
            let db = Connection::open(path)?;
            db.pragma_update(None, "journal_mode", "WAL")?;
            db.pragma_update(None, "synchronous", "FULL")?;
            let problem: String = db.query_row("PRAGMA quick_check(1)", [], |row| row.get(0))?;
            if problem != "ok" {
                return Err(ControlError::Storage(format!("{} is damaged: {problem}", path.display())));
            }
            let format: u32 = db.query_row("PRAGMA user_version", [], |row| row.get(0))?;
            if format > FORMAT {
                return Err(ControlError::Storage(format!(
                    "{} was written by a newer version (format {format}, this one knows {FORMAT})",
                    path.display()
                )));
            }
            db.execute_batch(
                "CREATE TABLE IF NOT EXISTS records (
                     kind TEXT NOT NULL, id TEXT NOT NULL, json TEXT NOT NULL, sum BLOB NOT NULL,
                     PRIMARY KEY (kind, id)
                 ) WITHOUT ROWID",
            )?;
            db.pragma_update(None, "user_version", FORMAT)?;
            let mut rows = db.prepare("SELECT kind, id, json, sum FROM records")?;
            let mut rows_found = rows.query([])?;
            while let Some(row) = rows_found.next()? {
                let (kind, id, json): (String, String, String) = (row.get(0)?, row.get(1)?, row.get(2)?);
                if row.get::<_, Vec<u8>>(3)? != sum(&kind, &id, &json) {
                    let error = format!("{kind} {id} in {} does not match its checksum", path.display());
                    return Err(ControlError::Storage(error));
                }
                state.load(&kind, &id, &json).map_err(|error| {
                    ControlError::Storage(format!(
                        "{kind} {id} in {} can not be read: {error}",
                        path.display()
                    ))
                })?;
            }
            drop(rows_found);
            drop(rows);
            Ok(Self(db))
        }

        pub(super) fn keep(&mut self, rows: &[Row]) -> Result<(), ControlError> {
            let transaction = self.0.transaction()?;
            for Row { kind, id, json } in rows {
                match json {
                    Some(json) => transaction
                        .prepare(
                            "INSERT OR REPLACE INTO records (kind, id, json, sum) VALUES (?1, ?2, ?3, ?4)",
                        )?
                        .execute(params![kind, id, json, sum(kind, id, json)])?,
                    None => transaction
                        .prepare("DELETE FROM records WHERE kind = ?1 AND id = ?2")?
                        .execute(params![kind, id])?,
                };
            }
            Ok(transaction.commit()?)
        }
    }

    fn sum(kind: &str, id: &str, json: &str) -> Vec<u8> {
        let mut hash = Sha256::new();
        for part in [kind, "\0", id, "\0", json] {
            hash.update(part);
        }
        hash.finalize()[..8].to_vec()
    }
}

/// Without a database only memory is there.
#[cfg(not(feature = "sqlite"))]
#[derive(Debug)]
struct File;

#[cfg(not(feature = "sqlite"))]
impl File {
    fn open(path: &Path, _: &mut State) -> Result<Self, ControlError> {
        Err(ControlError::Storage(format!(
            "{} can not be opened: this program was built without the feature `sqlite`",
            path.display()
        )))
    }

    #[expect(clippy::unused_self, reason = "the same as with a database")]
    fn keep(&self, _: &[Row]) -> Result<(), ControlError> {
        Ok(())
    }
}
