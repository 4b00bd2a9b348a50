use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::{Value, json};

/// An endpoint as it is saved (`EndpointInput`, platform contract D.3). The platform replaces all of it, so every field is
/// always sent; what a kind of hardware does not have is left out.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct EndpointInput {
    /// Name for people.
    pub name: String,
    /// `QB` or `LB`.
    #[serde(rename = "type")]
    pub kind: String,
    /// GPU pools, and types to leave out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gpu_ids: Option<String>,
    /// GPUs per worker.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gpu_count: Option<u32>,
    /// CPU instances.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub instance_ids: Option<Vec<String>>,
    /// Data centres.
    pub locations: Option<String>,
    /// Volumes.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub network_volume_ids: Vec<VolumeRef>,
    /// `QUEUE_DELAY` or `REQUEST_COUNT`.
    pub scaler_type: String,
    /// Seconds or requests.
    pub scaler_value: u32,
    /// Fewest workers.
    pub workers_min: u32,
    /// Most workers.
    pub workers_max: u32,
    /// Seconds.
    pub idle_timeout: u32,
    /// Milliseconds; 0 is the platform's own.
    pub execution_timeout_ms: u64,
    /// Oldest CUDA version.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub min_cuda_version: Option<String>,
    /// `FLASHBOOT` or `OFF`.
    pub flash_boot_type: String,
    /// The environment whose artifact its workers get.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub flash_environment_id: Option<String>,
    /// An existing template of the account, in place of `template`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub template_id: Option<String>,
    /// Image and environment.
    #[serde(skip)]
    pub template: TemplateInput,
}

/// A reference to a volume.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct VolumeRef {
    /// Its id.
    pub network_volume_id: String,
}

/// What a worker starts from (platform contract D.4).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TemplateInput {
    /// Image.
    pub image: String,
    /// Disk in GB.
    pub disk_gb: u32,
    /// Variables.
    pub env: BTreeMap<String, String>,
    /// Credential that pulls the image.
    pub registry_auth_id: Option<String>,
    /// Exposed ports, such as `80/http`.
    pub ports: String,
}

impl TemplateInput {
    fn env_list(&self) -> Vec<Value> {
        self.env.iter().map(|(key, value)| json!({"key": key, "value": value})).collect()
    }

    /// As part of an endpoint. Names of templates are unique in an account.
    pub(crate) fn inline(&self, name: &str) -> Value {
        json!({
            "name": name,
            "imageName": self.image,
            "containerDiskInGb": self.disk_gb,
            "dockerArgs": "",
            "env": self.env_list(),
            "ports": self.ports,
            "startScript": "",
            "advancedStart": false,
            "config": {},
            "containerRegistryAuthId": self.registry_auth_id.as_deref().unwrap_or_default(),
        })
    }

    /// As a new state of an existing template.
    pub(crate) fn update(&self, id: &str, name: &str) -> Value {
        json!({
            "id": id,
            "name": name,
            "imageName": self.image,
            "containerDiskInGb": self.disk_gb,
            "dockerArgs": "",
            "env": self.env_list(),
            "readme": "",
            "volumeInGb": 0,
            "ports": self.ports,
            "containerRegistryAuthId": self.registry_auth_id.as_deref().unwrap_or_default(),
        })
    }
}
