//! Network volumes.

use serde::{Deserialize, Serialize};

/// A directory that workers of several endpoints share, and that outlives them.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(in crate::control) struct Volume {
    pub(in crate::control) id: String,
    pub(in crate::control) name: String,
    /// GB, 10 to 4096. Kept, not enforced.
    pub(in crate::control) size: u32,
    pub(in crate::control) data_center: String,
    /// `STANDARD` or `HIGH_PERFORMANCE`.
    pub(in crate::control) class: String,
}
