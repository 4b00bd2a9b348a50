//! Two load-balanced HTTP endpoints: text and notes on CPUs, numbers on a GPU.

pub mod error;
pub mod gpu;
pub mod notes;
pub mod page;
pub mod text;
pub mod upload;

use flash::prelude::*;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Text, notes and files.
pub static CPU: Endpoint = Endpoint::http("03_05_load_balancer_cpu").cpu(&["cpu3c-1-2"]).workers(1, 3);
/// Numbers.
pub static GPU: Endpoint =
    Endpoint::http("03_05_load_balancer_gpu").gpu(&["NVIDIA GeForce RTX 4090"]).workers(1, 3);

/// What the health route of an endpoint answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ServiceHealth {
    /// Always `healthy`: a worker that is not does not answer.
    pub status: String,
    /// Which service.
    pub service: String,
}

impl ServiceHealth {
    fn of(service: &str) -> Self {
        Self { status: "healthy".to_owned(), service: service.to_owned() }
    }
}

/// Milliseconds since `began`, two decimals.
fn millis_since(began: std::time::Instant) -> f64 {
    rounded(began.elapsed().as_secs_f64() * 1000.0)
}

/// Two decimals.
fn rounded(number: f64) -> f64 {
    (number * 100.0).round() / 100.0
}
