//! What commands tell programs: the documents of `--json`, each with a schema that is published in `schemas/cli`.
//!
//! A key that is here stays. New ones may come, so readers ignore what they do not know.

mod cost;
mod deployment;
mod endpoint;
mod environment;
mod platform;
mod project;
#[cfg(test)]
mod schema;

pub(crate) use cost::{Cost, EndpointCost};
pub(crate) use deployment::{Change, Deployed, Smoke, Step, Temporary};
pub(crate) use endpoint::{
    Collected, EndpointWorkers, Finding, Findings, LogLine, Removed, ShownEndpoint, Undeployed, Worker,
    Workers,
};
pub(crate) use environment::{
    AppDeleted, AppList, EnvironmentDeleted, EnvironmentInfo, EnvironmentList, EnvironmentMade, ListedApp,
    ListedEnvironment,
};
pub(crate) use platform::{ImageList, ImageMade, ListedImage, Number, Numbers, PlatformState, Repaired};
pub(crate) use project::{Completions, Exported, Function, Initialised, LoggedIn, ManPages, Packed, Served};
#[cfg(test)]
pub(crate) use schema::published;

use schemars::JsonSchema;
use serde::Serialize;

/// A command that failed.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub(crate) struct Failed {
    /// What went wrong.
    pub(crate) error: Error,
}

/// Why a command failed.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub(crate) struct Error {
    /// What and why.
    pub(crate) message: String,
    /// What to do about it.
    pub(crate) help: Option<String>,
    /// The exit code of the process.
    pub(crate) exit_code: u8,
}
