//! A queue for larger sums.

use flash::prelude::*;
use serde::{Deserialize, Serialize};

use crate::rows::{RowsError, columns, means};

/// Any GPU with 24 GB. What is computed here is small enough for the CPU of such a worker, and the answer says so.
pub static GPU: Endpoint =
    Endpoint::queue("00_multi_gpu").gpu(&["ADA_24"]).workers(0, 2).idle_timeout_secs(5);

/// Most iterations that one job may ask for.
pub const MOST_ITERATIONS: u32 = 10_000;

/// The direction in which a table spreads most.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Axis {
    /// What computed it.
    pub device: String,
    /// A vector of length 1; its first number that is not 0 is positive.
    pub axis: Vec<f64>,
    /// Which part of the variance lies in that direction, 0 to 1.
    pub explained_variance: f64,
    /// Iterations that were made.
    pub iterations: u32,
}

/// What can be wrong.
#[derive(Debug, thiserror::Error, RemoteError)]
pub enum AxisError {
    /// The rows are no table. Callers get the text, but not the cause as a value.
    #[error("{0}")]
    #[remote(code = "invalid_rows", opaque)]
    Rows(RowsError),
    /// Too few or too many iterations.
    #[error("iterations is {iterations}, and must be 1 to {most}")]
    #[remote(code = "iterations_out_of_range")]
    Iterations {
        /// What was asked for.
        iterations: u32,
        /// The most.
        most: u32,
    },
}

/// The first principal axis, by power iteration on the covariance matrix.
///
/// # Errors
/// [`AxisError`] when the rows are no table, or the iterations are out of range.
#[remote(resource = GPU)]
#[allow(clippy::needless_pass_by_value, reason = "a remote function owns its arguments")]
pub fn principal_axis(
    rows: Vec<Vec<f64>>,
    #[remote(default = 64)] iterations: u32,
) -> Result<Axis, AxisError> {
    if !(1..=MOST_ITERATIONS).contains(&iterations) {
        return Err(AxisError::Iterations { iterations, most: MOST_ITERATIONS });
    }
    let width = columns(&rows).map_err(AxisError::Rows)?;
    let means = means(&rows, width);
    let centred: Vec<Vec<f64>> =
        rows.iter().map(|row| row.iter().zip(&means).map(|(value, mean)| value - mean).collect()).collect();
    let covariance = |i: usize, j: usize| centred.iter().map(|row| row[i] * row[j]).sum::<f64>();
    let matrix: Vec<Vec<f64>> = (0..width).map(|i| (0..width).map(|j| covariance(i, j)).collect()).collect();
    // Not the first unit vector: it could be orthogonal to the answer.
    let mut axis: Vec<f64> = (0..width).map(|i| 1.0 + i as f64 / width as f64).collect();
    let mut length = normalize(&mut axis);
    for _ in 0..iterations {
        axis = matrix.iter().map(|row| row.iter().zip(&axis).map(|(a, b)| a * b).sum()).collect();
        length = normalize(&mut axis);
    }
    if axis.iter().find(|value| **value != 0.0).is_some_and(|first| *first < 0.0) {
        axis.iter_mut().for_each(|value| *value = -*value);
    }
    let total: f64 = (0..width).map(|i| matrix[i][i]).sum();
    let explained_variance = if total > 0.0 { (length / total).min(1.0) } else { 0.0 };
    Ok(Axis { device: "cpu".to_owned(), axis, explained_variance, iterations })
}

/// Makes a vector one of length 1 and gives its length; a vector of zeros stays.
fn normalize(vector: &mut [f64]) -> f64 {
    let length = vector.iter().map(|value| value * value).sum::<f64>().sqrt();
    if length > 0.0 {
        vector.iter_mut().for_each(|value| *value /= length);
    }
    length
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn points_on_a_line_have_the_line_as_their_axis() {
        let rows = (0..10).map(|i| vec![f64::from(i) * 3.0, f64::from(i) * 4.0]).collect();
        let found = principal_axis(rows, 64).unwrap();
        assert!((found.axis[0] - 0.6).abs() < 1e-4 && (found.axis[1] - 0.8).abs() < 1e-4, "{found:?}");
        assert!((found.explained_variance - 1.0).abs() < 1e-9, "{found:?}");
    }

    #[test]
    fn points_that_are_all_the_same_have_no_variance() {
        let found = principal_axis(vec![vec![1.0, 2.0]; 3], 4).unwrap();
        assert!(
            found.explained_variance == 0.0 && found.axis.iter().all(|value| value.is_finite()),
            "{found:?}"
        );
    }

    #[test]
    fn what_is_out_of_range_is_refused() {
        assert!(matches!(principal_axis(vec![vec![1.0]], 0), Err(AxisError::Iterations { .. })));
        assert!(matches!(principal_axis(Vec::new(), 1), Err(AxisError::Rows(RowsError::Empty))));
    }
}
