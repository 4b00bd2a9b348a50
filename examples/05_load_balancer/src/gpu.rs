//! Numbers on a GPU endpoint.

use std::time::Instant;

use flash::prelude::*;
use jiff::Timestamp;
use nvml_wrapper::Nvml;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::error::UserError;
use crate::{GPU, ServiceHealth, millis_since};

/// Says that the service is there.
///
/// # Errors
/// Never.
#[remote(resource = GPU, method = "GET", path = "/health")]
pub async fn gpu_health() -> Result<ServiceHealth, UserError> {
    Ok(ServiceHealth::of("gpu"))
}

/// What [`compute`](fn@compute) found.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Computed {
    /// Always `success`.
    pub status: String,
    /// How many numbers came.
    pub input_count: usize,
    /// The sum of their squares.
    pub sum_of_squares: f64,
    /// Their mean.
    pub mean: f64,
    /// The largest.
    pub max: f64,
    /// The smallest.
    pub min: f64,
    /// How long it took.
    pub compute_time_ms: f64,
    /// When.
    pub timestamp: Timestamp,
}

/// Sums squares. As in the original, the work itself is done by the processor.
///
/// # Errors
/// No numbers, or a sum that is larger than any number.
#[remote(resource = GPU, method = "POST", path = "/compute")]
#[allow(clippy::needless_pass_by_value, reason = "a remote function owns its arguments")]
pub fn compute(numbers: Vec<f64>) -> Result<Computed, UserError> {
    let began = Instant::now();
    if numbers.is_empty() {
        return Err(UserError::NoNumbers);
    }
    let sum_of_squares = sum(numbers.iter().map(|number| number * number));
    // Each is divided first, so that the mean of large numbers is one.
    let mean = sum(numbers.iter().map(|number| number / numbers.len() as f64));
    if !sum_of_squares.is_finite() || !mean.is_finite() {
        return Err(UserError::Overflow);
    }
    Ok(Computed {
        status: "success".to_owned(),
        input_count: numbers.len(),
        sum_of_squares,
        mean,
        max: numbers.iter().copied().fold(f64::NEG_INFINITY, f64::max),
        min: numbers.iter().copied().fold(f64::INFINITY, f64::min),
        compute_time_ms: millis_since(began),
        timestamp: Timestamp::now(),
    })
}

/// Adds up without losing small numbers beside large ones (Neumaier).
fn sum(numbers: impl Iterator<Item = f64>) -> f64 {
    let (mut sum, mut lost) = (0.0_f64, 0.0_f64);
    for number in numbers {
        let next = sum + number;
        lost += if sum.abs() >= number.abs() { (sum - next) + number } else { (number - next) + sum };
        sum = next;
    }
    // Beyond the largest number the correction is none.
    if sum.is_finite() { sum + lost } else { sum }
}

/// What [`info`](fn@info) tells.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct DeviceInfo {
    /// Whether the machine has a GPU.
    pub available: bool,
    /// Its product name, or `cpu`.
    pub device: String,
    /// How many.
    pub count: u32,
}

/// Tells which GPU the worker has. None is an answer, not an error.
///
/// # Errors
/// Never.
#[remote(resource = GPU, method = "GET", path = "/info")]
pub fn info() -> Result<DeviceInfo, UserError> {
    let found = Nvml::init().and_then(|nvml| {
        let count = nvml.device_count()?;
        Ok((nvml.device_by_index(0)?.name()?, count))
    });
    Ok(match found {
        Ok((device, count)) => DeviceInfo { available: true, device, count },
        Err(_) => DeviceInfo { available: false, device: "cpu".to_owned(), count: 0 },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn squares_are_summed() {
        let found = compute(vec![1.0, -2.0, 3.0]).unwrap();
        assert_eq!((found.sum_of_squares, found.input_count), (14.0, 3));
        assert_eq!((found.min, found.max), (-2.0, 3.0));
        assert!((found.mean - 2.0 / 3.0).abs() < 1e-15);
    }

    #[test]
    fn small_numbers_are_not_lost_beside_large_ones() {
        assert_eq!(sum([1e100, 1.0, -1e100].into_iter()), 1.0);
        assert_eq!(compute(vec![f64::MAX, f64::MAX]).unwrap_err(), UserError::Overflow);
        assert_eq!(compute(Vec::new()).unwrap_err(), UserError::NoNumbers);
    }

    // Holds on machines with and without a GPU.
    #[test]
    fn a_device_is_told() {
        let info = info().unwrap();
        assert_eq!(info.available, info.count > 0);
        assert!(!info.device.is_empty());
    }
}
