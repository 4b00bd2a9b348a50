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
            Self::Sqlite(error) if error.sqlite_error_code() == Some(ErrorCode::DiskFull) => StoreError::Full(
                "the platform's disk is full: nothing was changed\nhelp: make room on the disk of its data directory, \
                 or raise its limit, and try again"
                    .to_owned(),
            ),
            Self::Sqlite(error) => StoreError::Other(Box::new(Shared(error.clone()))),
            Self::Mark(error) => StoreError::Other(Box::new(Shared(error.clone()))),
        }
    }
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
