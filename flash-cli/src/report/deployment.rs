use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

use super::Cost;
use crate::deploy::Action;

/// `flash deploy`, `flash deploy send` and `flash rollback`: what was planned, and what runs now.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub(crate) struct Deployed {
    /// The app.
    pub(crate) app: String,
    /// The environment.
    pub(crate) environment: String,
    /// The active build.
    pub(crate) build: Option<String>,
    /// Whether anything was changed; false for a dry run too.
    pub(crate) changed: bool,
    /// What becomes of each endpoint.
    pub(crate) plan: Vec<Step>,
    /// Addresses by endpoint.
    pub(crate) endpoints: BTreeMap<String, String>,
    /// What it costs.
    pub(crate) cost: Cost,
    /// Only of a temporary deployment.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) temporary: Option<Temporary>,
}

/// What becomes of an endpoint.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub(crate) struct Step {
    /// The endpoint's name in the app.
    pub(crate) resource: String,
    /// What is done.
    pub(crate) action: Action,
    /// The endpoint that there is.
    pub(crate) endpoint_id: Option<String>,
    /// What differs.
    pub(crate) changes: Vec<Change>,
}

/// A field that is not as it should be. Values of variables are not shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub(crate) struct Change {
    /// Name of the field.
    pub(crate) field: String,
    /// What is there.
    pub(crate) from: String,
    /// What should be there.
    pub(crate) to: String,
}

/// A deployment that goes away again.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub(crate) struct Temporary {
    /// When it is removed at the latest (RFC 3339).
    pub(crate) until: String,
    /// The calls that were made to see whether it works.
    pub(crate) smoke: Vec<Smoke>,
}

/// A call that was made to see whether a deployment works.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub(crate) struct Smoke {
    /// The function.
    pub(crate) function: String,
    /// What it answered.
    pub(crate) result: Value,
}
