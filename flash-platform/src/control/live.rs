use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

/// The variable that says which artifact a worker may run; another artifact is another release.
pub const ARTIFACT: &str = "FLASH_ARTIFACT_SHA256";
/// The variable with the hash of an endpoint's settings, where no manifest of a build has it: on endpoints of images.
pub const CONFIG: &str = "FLASH_CONFIG_SHA256";

/// An endpoint as it is now (REST v2 `Endpoint`).
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct LiveEndpoint {
    /// Its id.
    pub id: String,
    /// Name for people.
    pub name: String,
    /// `QUEUE` or `LOAD_BALANCER`.
    #[serde(rename = "type")]
    pub kind: Option<String>,
    /// Image.
    pub image: Option<String>,
    /// Disk in GB.
    pub disk: Option<u32>,
    /// Variables.
    pub env: BTreeMap<String, String>,
    /// Credential that pulls the image.
    pub registry: Option<String>,
    /// GPUs.
    pub gpu: Option<Value>,
    /// CPU flavours.
    pub cpu: Option<Value>,
    /// Workers.
    pub workers: WorkersOf,
    /// Scaler.
    pub scaling: Value,
    /// Milliseconds a job may run.
    pub timeout: Option<u64>,
    /// `OFF`, `FLASHBOOT` …
    pub flashboot: Option<String>,
    /// Data centres.
    pub data_center_ids: Vec<String>,
    /// Ids of volumes.
    pub network_volumes: Vec<String>,
    /// Addresses: `base` and `health` for HTTP, others for a queue.
    pub request_urls: BTreeMap<String, String>,
    /// When it was created.
    pub created_at: Option<String>,
}

/// How many workers an endpoint has.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct WorkersOf {
    /// Fewest.
    pub min: u32,
    /// Most.
    pub max: u32,
    /// Seconds.
    pub idle_timeout: Option<u32>,
}

impl LiveEndpoint {
    /// App, environment and resource that it belongs to; `None` unless it says all three: such an endpoint is not ours.
    #[must_use]
    pub fn identity(&self) -> Option<(&str, &str, &str)> {
        let variable = |name: &str| self.env.get(name).map(String::as_str).filter(|value| !value.is_empty());
        Some((variable("FLASH_APP")?, variable("FLASH_ENV")?, variable("FLASH_RESOURCE_NAME")?))
    }

    /// Whether it runs an image that has the app in it, instead of an artifact of its environment.
    #[must_use]
    pub fn is_of_image(&self) -> bool {
        self.env.contains_key(CONFIG) && !self.env.contains_key(ARTIFACT)
    }

    /// Whether it serves HTTP routes.
    #[must_use]
    pub fn is_load_balanced(&self) -> bool {
        self.kind.as_deref() == Some("LOAD_BALANCER")
    }
}

/// A worker of an endpoint (REST v2 `Worker`).
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[non_exhaustive]
pub struct LiveWorker {
    /// Its id.
    pub id: String,
    /// `RUNNING`, `IDLE`, `INITIALIZING`, `THROTTLED` or `UNHEALTHY`.
    pub status: String,
    /// Whether it runs an older release.
    pub is_stale: bool,
    /// Release.
    pub version: Option<u64>,
    /// Seconds since it started.
    pub uptime_seconds: Option<u64>,
    /// GPUs.
    pub gpu_count: u32,
}

/// A line of a worker's log.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct LogEvent {
    /// `container` or `system`.
    pub source: String,
    /// Text.
    pub line: String,
    /// When.
    pub ts: Value,
}
