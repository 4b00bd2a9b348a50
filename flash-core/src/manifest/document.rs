use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;

type Map<T> = BTreeMap<String, T>;

/// The manifest of an app.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
#[non_exhaustive]
pub struct Manifest {
    /// Version of the format.
    pub version: String,
    /// When it was stored; never in a packed manifest, which has to be reproducible.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub generated_at: Option<String>,
    /// The app.
    pub project_name: String,
    /// The endpoints by name.
    pub resources: Map<ResourceEntry>,
    /// The endpoint of each function.
    pub function_registry: Map<String>,
    /// For each HTTP endpoint, the function of each `METHOD /path`.
    pub routes: Map<Map<String>>,
    /// The addresses of the deployed endpoints.
    #[serde(skip_serializing_if = "Map::is_empty")]
    pub resources_endpoints: Map<String>,
    /// Hash of everything the binary was built from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source_fingerprint: Option<String>,
    /// What only a Rust binary has; its presence tells a caller that the peer is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rust: Option<RustSection>,
    /// Keys of other versions.
    #[serde(flatten)]
    pub extra: Map<Value>,
}

/// What a Rust binary says of itself.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
#[non_exhaustive]
pub struct RustSection {
    /// The target triple that the binary is built for.
    pub target: String,
    /// SHA-256 of the binary, in hexadecimal; absent when it could not read itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub binary_sha256: Option<String>,
    /// SHA-256 over names, routes and parameters of all functions; equal for a host build and a cross build.
    pub function_table_sha256: String,
    /// Version of the protocol between worker and platform.
    pub worker_protocol: u32,
    /// The functions, their parameters and results as an OpenAPI document, with the paths of each endpoint below its name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub openapi: Option<Value>,
    /// Keys of other versions.
    #[serde(flatten)]
    pub extra: Map<Value>,
}

/// One endpoint.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
#[non_exhaustive]
pub struct ResourceEntry {
    /// The Python class of the endpoint's kind.
    pub resource_type: String,
    /// Its functions by name.
    pub functions: Vec<FunctionEntry>,
    /// Whether it is reached by HTTP.
    pub is_load_balanced: bool,
    /// Whether it runs code that a request brings; never true in what is built here.
    pub is_live_resource: bool,
    /// Path of the `static` that declares it. Python writes `null` where there is none.
    #[serde(deserialize_with = "or_default")]
    #[cfg_attr(feature = "schema", schemars(with = "Option<String>"))]
    pub config_variable: String,
    /// Whether its functions call other endpoints, and so need key and addresses.
    pub makes_remote_calls: bool,
    /// The endpoints that its functions call.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub remote_calls: Vec<String>,
    /// Container image.
    #[serde(rename = "imageName", skip_serializing_if = "Option::is_none")]
    pub image_name: Option<String>,
    /// Existing template.
    #[serde(rename = "templateId", skip_serializing_if = "Option::is_none")]
    pub template_id: Option<String>,
    /// Credential that pulls the image.
    #[serde(rename = "containerRegistryAuthId", skip_serializing_if = "Option::is_none")]
    pub container_registry_auth_id: Option<String>,
    /// Disk of the container in GB.
    #[serde(rename = "containerDiskInGb", skip_serializing_if = "Option::is_none")]
    pub container_disk_in_gb: Option<u32>,
    /// GPU pools, separated by commas.
    #[serde(rename = "gpuIds", skip_serializing_if = "Option::is_none")]
    pub gpu_ids: Option<String>,
    /// GPUs per worker.
    #[serde(rename = "gpuCount", skip_serializing_if = "Option::is_none")]
    pub gpu_count: Option<u32>,
    /// CPU instances.
    #[serde(rename = "instanceIds", skip_serializing_if = "Option::is_none")]
    pub instance_ids: Option<Vec<String>>,
    /// Fewest workers.
    #[serde(rename = "workersMin")]
    pub workers_min: u32,
    /// Most workers.
    #[serde(rename = "workersMax")]
    pub workers_max: u32,
    /// Seconds a worker without work is kept.
    #[serde(rename = "idleTimeout")]
    pub idle_timeout: u32,
    /// Milliseconds a job may run; 0 is the platform's own limit.
    #[serde(rename = "executionTimeoutMs")]
    pub execution_timeout_ms: u64,
    /// `QUEUE_DELAY` or `REQUEST_COUNT`.
    #[serde(rename = "scalerType")]
    pub scaler_type: String,
    /// Seconds or requests.
    #[serde(rename = "scalerValue")]
    pub scaler_value: u32,
    /// Jobs that one worker runs at the same time.
    pub max_concurrency: u32,
    /// Data centres, separated by commas.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub locations: Option<String>,
    /// Oldest CUDA version that will do.
    #[serde(rename = "minCudaVersion", skip_serializing_if = "Option::is_none")]
    pub min_cuda_version: Option<String>,
    /// `FLASHBOOT` or `OFF`.
    #[serde(rename = "flashBootType")]
    pub flash_boot_type: String,
    /// Environment variables.
    #[serde(skip_serializing_if = "Map::is_empty", deserialize_with = "or_default")]
    #[cfg_attr(feature = "schema", schemars(with = "Option<Map<String>>"))]
    pub env: Map<String>,
    /// Secrets, by name alone.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub secrets: Vec<SecretEntry>,
    /// Network volumes.
    #[serde(rename = "networkVolumes", skip_serializing_if = "Vec::is_empty")]
    pub network_volumes: Vec<VolumeEntry>,
    /// Debian packages that the image must have.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub system_dependencies: Vec<String>,
    /// `required` or `public`, for an HTTP endpoint.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub auth: Option<String>,
    /// The deployed endpoint.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub endpoint_id: Option<String>,
    /// Its address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub endpoint_url: Option<String>,
    /// SHA-256 of what was deployed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub config_hash: Option<String>,
    /// How the deployment ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<String>,
    /// When it was deployed (RFC 3339).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deployed_at: Option<String>,
    /// Keys of other versions.
    #[serde(flatten)]
    pub extra: Map<Value>,
}

/// What a missing key means: the defaults of the platform's client (platform contract D.3).
impl Default for ResourceEntry {
    fn default() -> Self {
        Self {
            resource_type: String::new(),
            functions: Vec::new(),
            is_load_balanced: false,
            is_live_resource: false,
            config_variable: String::new(),
            makes_remote_calls: false,
            remote_calls: Vec::new(),
            image_name: None,
            template_id: None,
            container_registry_auth_id: None,
            container_disk_in_gb: None,
            gpu_ids: None,
            gpu_count: None,
            instance_ids: None,
            workers_min: 0,
            workers_max: 1,
            idle_timeout: 60,
            execution_timeout_ms: 0,
            scaler_type: String::new(),
            scaler_value: 4,
            max_concurrency: 1,
            locations: None,
            min_cuda_version: None,
            flash_boot_type: "FLASHBOOT".to_owned(),
            env: Map::new(),
            secrets: Vec::new(),
            network_volumes: Vec::new(),
            system_dependencies: Vec::new(),
            auth: None,
            endpoint_id: None,
            endpoint_url: None,
            config_hash: None,
            status: None,
            deployed_at: None,
            extra: Map::new(),
        }
    }
}

/// One function.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
#[non_exhaustive]
pub struct FunctionEntry {
    /// Name on the wire.
    pub name: String,
    /// Module path.
    pub module: String,
    /// Whether it is `async`.
    pub is_async: bool,
    /// Whether it is a stateful worker with methods.
    pub is_class: bool,
    /// The methods of a class.
    pub class_methods: Vec<String>,
    /// Verb of an HTTP function.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub http_method: Option<String>,
    /// Path of an HTTP function.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub http_path: Option<String>,
    /// Keys of other versions.
    #[serde(flatten)]
    pub extra: Map<Value>,
}

/// A secret that an endpoint needs. No value ever stands here.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
#[non_exhaustive]
pub struct SecretEntry {
    /// The variable's name.
    pub name: String,
    /// The platform's own secret that holds the value.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reference: Option<String>,
    /// Keys of other versions.
    #[serde(flatten)]
    pub extra: Map<Value>,
}

/// A network volume.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
#[non_exhaustive]
pub struct VolumeEntry {
    /// Its name.
    pub name: String,
    /// Its size in GB.
    pub size: u32,
    /// The data centre that holds it.
    #[serde(rename = "dataCenterId", skip_serializing_if = "Option::is_none")]
    pub data_center_id: Option<String>,
    /// Keys of other versions.
    #[serde(flatten)]
    pub extra: Map<Value>,
}

impl Manifest {
    /// The manifest as it is stored: sorted, indented, with a newline at the end.
    ///
    /// # Errors
    /// None of the fields can fail to encode; a user's extra key could.
    pub fn to_json(&self) -> Result<String, serde_json::Error> {
        serde_json::to_string_pretty(self).map(|text| text + "\n")
    }

    /// Reads a manifest.
    ///
    /// # Errors
    /// Text that is not JSON, or a field of the wrong type, with its path.
    pub fn from_json(text: &str) -> Result<Self, String> {
        let mut deserializer = serde_json::Deserializer::from_str(text);
        let mut manifest: Self = serde_path_to_error::deserialize(&mut deserializer)
            .map_err(|error| format!("manifest field `{}`: {}", error.path(), error.inner()))?;
        deserializer.end().map_err(|error| format!("the manifest has something behind it: {error}"))?;
        for resource in manifest.resources.values_mut().filter(|resource| resource.scaler_type.is_empty()) {
            // The default depends on another key, so serde cannot fill it in.
            resource.scaler_type =
                if resource.is_load_balanced { "REQUEST_COUNT" } else { "QUEUE_DELAY" }.to_owned();
        }
        Ok(manifest)
    }
}

/// A `null` as the default of its type.
fn or_default<'de, D: Deserializer<'de>, T: Deserialize<'de> + Default>(
    deserializer: D,
) -> Result<T, D::Error> {
    Option::deserialize(deserializer).map(Option::unwrap_or_default)
}
