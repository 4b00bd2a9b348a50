use serde::Deserialize;
use serde_json::Value;

use crate::failure::{Failure, exit};

/// `[package.metadata.flash]` of the package.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Settings {
    /// Name of the app on the platform; the package's name without one.
    pub(crate) app: Option<String>,
    /// Files and directories that the app reads, relative to the package.
    pub(crate) assets: Vec<String>,
}

impl Settings {
    pub(crate) fn from_metadata(metadata: &Value) -> Result<Self, Failure> {
        let Some(flash) = metadata.get("flash") else { return Ok(Self::default()) };
        serde_json::from_value(flash.clone()).map_err(|error| {
            Failure::of(exit::INVALID_APP, format!("[package.metadata.flash] of Cargo.toml: {error}"))
                .help("it has `app = \"name\"` and `assets = [\"path\"]`")
        })
    }
}
