use sha2::{Digest, Sha256};

use super::catalogue::Catalogue;
use super::document::{FunctionEntry, Manifest, ResourceEntry, RustSection, SecretEntry, VolumeEntry};
use crate::endpoint::{Auth, Endpoint, FlashBoot, Hardware, Kind};
use crate::meta::Meta;
use crate::openapi;
use crate::registry::Registry;

/// Version of the manifest's format.
pub(super) const FORMAT: &str = "1.0";
/// The disk of a worker in GB, where its author and its hardware say nothing else.
const DISK_GB: u32 = 20;
/// Version of the protocol between worker and platform that this crate speaks.
const WORKER_PROTOCOL: u32 = 1;

/// A manifest made from the functions of an app, with what its author should know.
#[derive(Debug, Clone, PartialEq)]
pub struct Described {
    /// The manifest.
    pub manifest: Manifest,
    /// Remote calls whose callee is unclear, each with the line to add.
    pub warnings: Vec<String>,
}

impl Registry {
    /// Describes the app `project_name`. The result is the same for the same functions, byte for byte.
    #[must_use]
    pub fn describe(&self, project_name: &str) -> Described {
        self.describe_with(project_name, Catalogue::bundled())
    }

    /// Describes the app with the hardware of another snapshot than the bundled one: what `any` and GPU types mean.
    #[must_use]
    pub fn describe_with(&self, project_name: &str, catalogue: &Catalogue) -> Described {
        let mut manifest = Manifest {
            version: FORMAT.to_owned(),
            project_name: project_name.to_owned(),
            rust: Some(RustSection {
                target: env!("FLASH_TARGET").to_owned(),
                function_table_sha256: self.function_table_sha256(),
                worker_protocol: WORKER_PROTOCOL,
                openapi: Some(openapi::document(self, project_name, openapi::Paths::PerEndpoint)),
                ..RustSection::default()
            }),
            ..Manifest::default()
        };
        let mut warnings = Vec::new();
        for endpoint in self.resources() {
            let name = endpoint.name();
            let calls = self.calls_of(name);
            warnings.extend(calls.warnings);
            let entry = ResourceEntry {
                functions: self.function_entries(name),
                config_variable: self.resource_path(name).to_owned(),
                makes_remote_calls: !calls.resources.is_empty(),
                remote_calls: calls.resources.into_keys().map(ToOwned::to_owned).collect(),
                ..ResourceEntry::of(endpoint, catalogue)
            };
            manifest.resources.insert(name.to_owned(), entry);
        }
        for function in self.functions() {
            let meta = function.meta;
            let resource = meta.resource.name().to_owned();
            if let Some(route) = meta.http {
                let routes = manifest.routes.entry(resource.clone()).or_default();
                routes.insert(route.to_string(), meta.name.to_owned());
            }
            manifest.function_registry.insert(entry_name(meta).to_owned(), resource);
        }
        Described { manifest, warnings }
    }

    /// One entry for each function. The methods of a class on a queue are one entry, as in Python; on HTTP each has its own
    /// route.
    fn function_entries(&self, resource: &str) -> Vec<FunctionEntry> {
        let mut entries: Vec<FunctionEntry> = Vec::new();
        for meta in self.functions_of(resource).map(|function| function.meta) {
            match (meta.class, entries.last_mut()) {
                (Some(method), Some(last)) if last.is_class && last.name == entry_name(meta) => {
                    last.class_methods.push(method.key.to_owned());
                }
                _ => entries.push(function_entry(meta)),
            }
        }
        entries
    }

    /// Names, routes and parameters of all functions, hashed: what a binary for another target, or in an image, must agree on.
    /// Hexadecimal SHA-256.
    #[must_use]
    pub fn function_table_sha256(&self) -> String {
        let mut hash = Sha256::new();
        for function in self.functions() {
            let meta = function.meta;
            let route = meta.http.map(|route| route.to_string()).unwrap_or_default();
            hash.update(format!("{}\n{}\n{route}\n", meta.resource.name(), meta.name));
            for param in meta.params {
                hash.update(format!("  {}: {} {}\n", param.name, param.type_text, param.has_default));
            }
        }
        hex(&hash.finalize())
    }
}

/// The disk in GB of an endpoint that asks for none.
fn default_disk_gb(hardware: Hardware, catalogue: &Catalogue) -> u32 {
    let most = match hardware {
        Hardware::Gpu { .. } => None,
        Hardware::Cpu(names) => {
            catalogue.cpu_ids(names).iter().filter_map(|id| catalogue.disk_limit_gb(id)).min()
        }
    };
    most.map_or(DISK_GB, |most| most.min(DISK_GB))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn entry_name(meta: &Meta) -> &'static str {
    match meta.class {
        Some(method) if meta.http.is_none() => method.class.name,
        _ => meta.name,
    }
}

fn function_entry(meta: &Meta) -> FunctionEntry {
    FunctionEntry {
        name: entry_name(meta).to_owned(),
        is_class: meta.class.is_some(),
        class_methods: meta.class.iter().map(|method| method.key.to_owned()).collect(),
        module: meta.module.to_owned(),
        is_async: meta.is_async,
        http_method: meta.http.map(|route| route.method.to_string()),
        http_path: meta.http.map(|route| route.path.to_owned()),
        ..FunctionEntry::default()
    }
}

impl ResourceEntry {
    /// Every setting of an endpoint; its functions are still missing.
    #[must_use]
    pub fn of(endpoint: &Endpoint, catalogue: &Catalogue) -> Self {
        // Taken apart without `..`, so a new setting that is forgotten here does not compile.
        let Endpoint {
            name: _,
            kind,
            hardware,
            workers_min,
            workers_max,
            idle_timeout_secs,
            execution_timeout_ms,
            scaler,
            concurrency,
            image,
            template,
            registry_credential,
            container_disk_gb,
            env,
            secrets,
            volumes,
            data_centers,
            min_cuda,
            flashboot,
            system_packages,
            auth,
            declared_at: _,
        } = *endpoint;
        let (scaler_type, scaler_value) = scaler.parts();
        let owned = |text: &str| text.to_owned();
        let mut entry = ResourceEntry {
            resource_type: owned(resource_type(kind, hardware)),
            is_load_balanced: kind == Kind::Http,
            image_name: image.map(owned),
            template_id: template.map(owned),
            container_registry_auth_id: registry_credential.map(owned),
            container_disk_in_gb: Some(
                container_disk_gb.unwrap_or_else(|| default_disk_gb(hardware, catalogue)),
            ),
            workers_min,
            workers_max,
            idle_timeout: idle_timeout_secs,
            execution_timeout_ms,
            scaler_type: owned(scaler_type),
            scaler_value,
            max_concurrency: concurrency,
            locations: (!data_centers.is_empty()).then(|| data_centers.join(",")),
            min_cuda_version: min_cuda.map(owned),
            flash_boot_type: owned(match flashboot {
                FlashBoot::On => "FLASHBOOT",
                FlashBoot::Off => "OFF",
            }),
            env: env.iter().map(|(name, value)| (owned(name), owned(value))).collect(),
            secrets: secrets
                .iter()
                .flatten()
                .map(|secret| SecretEntry {
                    name: owned(secret.name),
                    reference: secret.reference.map(owned),
                    ..SecretEntry::default()
                })
                .collect(),
            network_volumes: volumes
                .iter()
                .map(|volume| VolumeEntry {
                    name: owned(volume.name),
                    size: volume.size_gb,
                    data_center_id: volume.data_center.map(owned),
                    ..VolumeEntry::default()
                })
                .collect(),
            system_dependencies: system_packages.iter().map(|name| owned(name)).collect(),
            auth: (kind == Kind::Http).then(|| {
                owned(match auth {
                    Auth::Required => "required",
                    Auth::Public => "public",
                })
            }),
            ..ResourceEntry::default()
        };
        match hardware {
            Hardware::Gpu { pools, count } => {
                entry.gpu_ids = Some(catalogue.gpu_ids(pools).join(","));
                entry.gpu_count = Some(count);
            }
            Hardware::Cpu(instances) => entry.instance_ids = Some(catalogue.cpu_ids(instances)),
        }
        entry
    }
}

/// The Python class of an endpoint that is not live.
fn resource_type(kind: Kind, hardware: Hardware) -> &'static str {
    match (kind, hardware) {
        (Kind::Queue, Hardware::Gpu { .. }) => "ServerlessEndpoint",
        (Kind::Queue, Hardware::Cpu(_)) => "CpuServerlessEndpoint",
        (Kind::Http, Hardware::Gpu { .. }) => "LoadBalancerSlsResource",
        (Kind::Http, Hardware::Cpu(_)) => "CpuLoadBalancerSlsResource",
    }
}
