use schemars::JsonSchema;
use serde::Serialize;

/// What the workers of a deployment cost. Disks, volumes and traffic are not in it.
#[derive(Debug, Clone, Default, PartialEq, Serialize, JsonSchema)]
pub(crate) struct Cost {
    /// US dollars an hour while every endpoint has its fewest workers; null when a price is unknown.
    pub(crate) hourly_min: Option<f64>,
    /// US dollars an hour while every endpoint has its most workers, on the dearest hardware that it may get; null when a price
    /// is unknown.
    pub(crate) hourly_max: Option<f64>,
    /// Where the prices are from, with their day.
    pub(crate) prices: String,
    /// What each endpoint adds to it.
    pub(crate) endpoints: Vec<EndpointCost>,
}

/// What the workers of one endpoint cost.
#[derive(Debug, Clone, Default, PartialEq, Serialize, JsonSchema)]
pub(crate) struct EndpointCost {
    /// The endpoint's name in the app.
    pub(crate) resource: String,
    /// US dollars an hour with its fewest workers.
    pub(crate) hourly_min: Option<f64>,
    /// US dollars an hour with its most workers.
    pub(crate) hourly_max: Option<f64>,
    /// Hardware whose price nobody knows.
    pub(crate) unknown: Vec<String>,
}
