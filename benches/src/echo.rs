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

/// What a clock job returns: when its function began.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Started {
    /// Nanoseconds since the Unix epoch.
    pub started_ns: u64,
}
