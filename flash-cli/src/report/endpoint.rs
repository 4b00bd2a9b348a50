use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

/// An endpoint with its address.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub(crate) struct ShownEndpoint {
    /// The endpoint's name in the app.
    pub(crate) resource: String,
    /// `http` or `queue`.
    pub(crate) kind: String,
    /// Its id.
    pub(crate) endpoint_id: String,
    /// Where it is called; empty while no build is active.
    pub(crate) address: String,
    /// The image that its workers start from.
    pub(crate) image: Option<String>,
}

/// An endpoint by name and id.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub(crate) struct Removed {
    /// The endpoint's name in the app.
    pub(crate) resource: String,
    /// Its id.
    pub(crate) endpoint_id: String,
}

/// `flash undeploy`
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[serde(untagged)]
pub(crate) enum Undeployed {
    /// With `list`: what is deployed.
    List {
        /// The endpoints.
        endpoints: Vec<Removed>,
    },
    /// What was removed, confirmed gone.
    Removed {
        /// The endpoints.
        removed: Vec<Removed>,
    },
}

/// `flash gc`
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub(crate) struct Collected {
    /// Endpoints that no active build knows, or whose lease is over.
    pub(crate) orphans: Vec<Removed>,
    /// Temporary environments whose lease is over.
    pub(crate) expired: Vec<String>,
    /// What was removed, confirmed gone; nothing with `--dry-run`.
    pub(crate) removed: Vec<Removed>,
}

/// `flash ps`
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub(crate) struct Workers {
    /// The app.
    pub(crate) app: String,
    /// The environment.
    pub(crate) environment: String,
    /// When the environment goes away again, where it is a temporary one (RFC 3339).
    pub(crate) leased_until: Option<String>,
    /// Its endpoints.
    pub(crate) endpoints: Vec<EndpointWorkers>,
}

/// An endpoint with its workers.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub(crate) struct EndpointWorkers {
    /// The endpoint's name in the app.
    pub(crate) resource: String,
    /// `http` or `queue`.
    pub(crate) kind: String,
    /// Its id.
    pub(crate) endpoint_id: String,
    /// Fewest workers.
    pub(crate) workers_min: u32,
    /// Most workers.
    pub(crate) workers_max: u32,
    /// Those there are.
    pub(crate) workers: Vec<Worker>,
}

/// A worker.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub(crate) struct Worker {
    /// Its id.
    pub(crate) id: String,
    /// `RUNNING`, `IDLE`, `INITIALIZING`, `THROTTLED` or `UNHEALTHY`.
    pub(crate) status: String,
    /// Whether it runs an older release.
    pub(crate) is_stale: bool,
    /// Seconds since it started.
    pub(crate) uptime_seconds: Option<u64>,
}

/// `flash logs`: one of these on each line.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub(crate) struct LogLine {
    /// The endpoint's name in the app.
    pub(crate) endpoint: String,
    /// The worker's id.
    pub(crate) worker: String,
    /// `container` or `system`.
    pub(crate) source: String,
    /// What it printed.
    pub(crate) line: String,
    /// When, as the platform says it.
    pub(crate) ts: Value,
}

/// `flash doctor`
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub(crate) struct Findings {
    /// Whether there is no problem.
    pub(crate) healthy: bool,
    /// What was looked at.
    pub(crate) findings: Vec<Finding>,
}

/// One thing that was looked at.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub(crate) struct Finding {
    /// What it is.
    pub(crate) what: String,
    /// Whether it is fine.
    pub(crate) ok: bool,
    /// What was found.
    pub(crate) text: String,
    /// The command to run about it; empty where all is fine.
    pub(crate) next: String,
}
