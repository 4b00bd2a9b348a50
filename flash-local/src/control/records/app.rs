//! Apps and their environments.

use flash_core::clock::Timestamp;
use serde::{Deserialize, Serialize};

/// All endpoints of one project.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(in crate::control) struct App {
    pub(in crate::control) id: String,
    pub(in crate::control) name: String,
    pub(in crate::control) created: Timestamp,
}

/// One deployment of an app.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(in crate::control) struct Environment {
    pub(in crate::control) id: String,
    pub(in crate::control) app: String,
    pub(in crate::control) name: String,
    pub(in crate::control) created: Timestamp,
    pub(in crate::control) active_build: Option<String>,
}

impl Environment {
    /// RunPod's states are not enumerated anywhere (platform contract D.2). These say whether there is something to run.
    pub(in crate::control) const fn state(&self) -> &'static str {
        if self.active_build.is_some() { "ACTIVE" } else { "PENDING" }
    }
}
