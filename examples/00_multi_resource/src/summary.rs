//! A queue for small sums.

use flash::prelude::*;
use serde::{Deserialize, Serialize};

use crate::rows::{RowsError, columns, means};

/// The smallest CPU instance.
pub static CPU: Endpoint =
    Endpoint::queue("00_multi_cpu").cpu(&["cpu3c-1-2"]).workers(0, 2).idle_timeout_secs(5);

/// A table in a few numbers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Summary {
    /// Rows.
    pub count: usize,
    /// Each column.
    pub columns: Vec<Column>,
}

/// A column in a few numbers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Column {
    /// Arithmetic mean.
    pub mean: f64,
    /// Standard deviation of the sample; 0 for a single row.
    pub std: f64,
    /// Smallest.
    pub min: f64,
    /// Largest.
    pub max: f64,
}

/// Mean, deviation and range of each column.
///
/// # Errors
/// [`RowsError`] when the rows are no table.
#[remote(resource = CPU)]
#[allow(clippy::needless_pass_by_value, reason = "a remote function owns its arguments")]
pub fn summarize(rows: Vec<Vec<f64>>) -> Result<Summary, RowsError> {
    let width = columns(&rows)?;
    let means = means(&rows, width);
    let of_column = |column: usize| {
        let mean = means[column];
        let values = || rows.iter().map(|row| row[column]);
        let squares: f64 = values().map(|value| (value - mean).powi(2)).sum();
        let std = if rows.len() > 1 { (squares / (rows.len() - 1) as f64).sqrt() } else { 0.0 };
        Column {
            mean,
            std,
            min: values().fold(f64::INFINITY, f64::min),
            max: values().fold(f64::NEG_INFINITY, f64::max),
        }
    };
    Ok(Summary { count: rows.len(), columns: (0..width).map(of_column).collect() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_known_column_has_its_known_numbers() {
        let summary = summarize(vec![vec![1.0, 5.0], vec![2.0, 5.0], vec![3.0, 5.0]]).unwrap();
        assert_eq!(summary.columns[0], Column { mean: 2.0, std: 1.0, min: 1.0, max: 3.0 });
        assert_eq!(summary.columns[1], Column { mean: 5.0, std: 0.0, min: 5.0, max: 5.0 });
    }

    #[test]
    fn what_is_no_table_is_refused() {
        for rows in [vec![], vec![vec![]]] {
            assert_eq!(summarize(rows), Err(RowsError::Empty));
        }
        let ragged = summarize(vec![vec![1.0], vec![1.0, 2.0]]);
        assert_eq!(ragged, Err(RowsError::Ragged { row: 1, found: 2, expected: 1 }));
    }
}
