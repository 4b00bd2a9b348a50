//! The payload of every echo benchmark, the same for the bare peers and for our side.

use serde::{Deserialize, Serialize};

/// What goes in and what comes back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Echo {
    /// A number.
    pub a: u32,
    /// A short text.
    pub b: String,
}

/// A body that is mostly one text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Text {
    /// The text.
    pub text: String,
}

/// A body that is mostly numbers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Floats {
    /// The numbers.
    pub values: Vec<f64>,
}

/// What a clock job returns: when its function began.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Started {
    /// Nanoseconds since the Unix epoch.
    pub started_ns: u64,
}
