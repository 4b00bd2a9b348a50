//! The data that all functions take.

use flash::RemoteError;

/// What can be wrong with a table of numbers.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, RemoteError)]
pub enum RowsError {
    /// There is nothing in it.
    #[error("there are no rows, or they have no columns")]
    Empty,
    /// Rows of different lengths.
    #[error("row {row} has {found} columns, and the first has {expected}")]
    Ragged {
        /// The row, counted from 0.
        row: usize,
        /// Its columns.
        found: usize,
        /// Those of the first.
        expected: usize,
    },
}

/// Checks that every row has as many numbers as the first, and gives that many. JSON has no NaN, so none can arrive.
///
/// # Errors
/// [`RowsError`] with the first row that is wrong.
pub fn columns(rows: &[Vec<f64>]) -> Result<usize, RowsError> {
    let expected = rows.first().map_or(0, Vec::len);
    if expected == 0 {
        return Err(RowsError::Empty);
    }
    match rows.iter().position(|row| row.len() != expected) {
        Some(row) => Err(RowsError::Ragged { row, found: rows[row].len(), expected }),
        None => Ok(expected),
    }
}

/// The mean of each column.
#[must_use]
pub fn means(rows: &[Vec<f64>], columns: usize) -> Vec<f64> {
    (0..columns).map(|column| rows.iter().map(|row| row[column]).sum::<f64>() / rows.len() as f64).collect()
}
