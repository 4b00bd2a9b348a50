//! Releases: what changed an endpoint's workers, and when.

use flash_core::clock::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// One version of an endpoint.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(in crate::control) struct Release {
    pub(in crate::control) id: String,
    pub(in crate::control) endpoint: String,
    pub(in crate::control) version: u32,
    pub(in crate::control) created: Timestamp,
    pub(in crate::control) diff: Vec<Change>,
}

/// One field that changed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(in crate::control) struct Change {
    pub(in crate::control) field: String,
    pub(in crate::control) old: Value,
    pub(in crate::control) new: Value,
}
