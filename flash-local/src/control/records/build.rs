//! Artifacts: those that are being uploaded, and those that became builds.

use flash_core::clock::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// An artifact that was announced. Its id is the object's key.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(in crate::control) struct Upload {
    pub(in crate::control) id: String,
    pub(in crate::control) app: String,
    /// Bytes that were announced.
    pub(in crate::control) size: u64,
    pub(in crate::control) expires: Timestamp,
}

/// A finished upload with its manifest.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(in crate::control) struct Build {
    pub(in crate::control) id: String,
    pub(in crate::control) app: String,
    pub(in crate::control) object_key: String,
    /// SHA-256 of the artifact, in hexadecimal.
    pub(in crate::control) sha256: String,
    pub(in crate::control) created: Timestamp,
    pub(in crate::control) manifest: Value,
}
