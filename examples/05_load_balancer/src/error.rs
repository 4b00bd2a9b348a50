//! What callers are told when a request cannot be served.

use flash::RemoteError;

/// A mistake of the caller: 400, or 404 and 409 for notes. What does not fit a parameter's type never comes so far; that is 422
/// with the path of the field.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, RemoteError)]
pub enum UserError {
    /// No text.
    #[error("text cannot be empty")]
    #[remote(status = 400, terminal)]
    EmptyText,
    /// No numbers.
    #[error("numbers list must not be empty")]
    #[remote(status = 400, terminal)]
    NoNumbers,
    /// The sum is larger than any number.
    #[error("the numbers are too large to be summed")]
    #[remote(status = 400, terminal)]
    Overflow,
    /// No file.
    #[error("the file is empty")]
    #[remote(status = 400, terminal)]
    EmptyFile,
    /// No such note.
    #[error("there is no note {id}")]
    #[remote(status = 404, terminal)]
    NoSuchNote {
        /// Which.
        id: u64,
    },
    /// A worker keeps notes in memory, so it keeps a bounded number.
    #[error("the worker keeps {limit} notes and has no room for another")]
    #[remote(status = 409)]
    TooManyNotes {
        /// How many it keeps.
        limit: usize,
    },
}
