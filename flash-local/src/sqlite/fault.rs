//! What can go wrong inside a transaction.

use std::sync::Arc;

use flash_queue::StoreError;
use rusqlite::ErrorCode;

/// Why an operation, or a whole group of them, did not happen.
#[derive(Clone, Debug)]
pub(super) enum Fault {
    /// A row does not have the checksum that it was written with, or is missing. Only the operation that met it fails.
    Damaged(String),
    /// SQLite refused. The whole group is undone.
    Sqlite(Arc<rusqlite::Error>),
    /// The mark could not be written. The group is committed, but must not be acknowledged.
    Mark(Arc<std::io::Error>),
}

impl From<rusqlite::Error> for Fault {
    fn from(error: rusqlite::Error) -> Self {
        use rusqlite::Error::{
            FromSqlConversionFailure, IntegralValueOutOfRange, InvalidColumnType, Utf8Error,
        };
        match error {
            // A value of another type than was written: what is wrong is the row, and no other operation.
            FromSqlConversionFailure(..)
            | IntegralValueOutOfRange(..)
            | InvalidColumnType(..)
            | Utf8Error(..) => Self::Damaged(format!("a record is damaged: {error}")),
            error => Self::Sqlite(Arc::new(error)),
        }
    }
}

impl Fault {
    pub(super) fn is_of_the_group(&self) -> bool {
        !matches!(self, Self::Damaged(_))
    }

    /// The error for the one who asked.
    pub(super) fn for_caller(&self) -> StoreError {
        match self {
            Self::Damaged(what) => StoreError::Damaged(what.clone()),
            Self::Sqlite(error) if error.sqlite_error_code() == Some(ErrorCode::DiskFull) => full("is full"),
            Self::Sqlite(error) if does_not_write(error) => full("takes no more"),
            Self::Sqlite(error) => StoreError::Other(Box::new(Shared(error.clone()))),
            Self::Mark(error) => StoreError::Other(Box::new(Shared(error.clone()))),
        }
    }
}

fn full(how: &str) -> StoreError {
    StoreError::Full(format!(
        "the platform's disk {how}: nothing was changed\nhelp: make room on the disk of its data directory, or raise its limit, \
         and try again"
    ))
}

/// Whether a file could not be written or grow. SQLite calls only one reason of that a full disk; a quota and the limit of a file's
/// size are others.
fn does_not_write(error: &rusqlite::Error) -> bool {
    use rusqlite::ffi::{SQLITE_IOERR_SHMSIZE, SQLITE_IOERR_WRITE};
    let code = error.sqlite_error().map(|error| error.extended_code);
    matches!(code, Some(SQLITE_IOERR_WRITE | SQLITE_IOERR_SHMSIZE))
}

/// One error of many operations.
#[derive(Debug)]
struct Shared<E>(Arc<E>);

impl<E: std::error::Error> std::fmt::Display for Shared<E> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

impl<E: std::error::Error> std::error::Error for Shared<E> {}
