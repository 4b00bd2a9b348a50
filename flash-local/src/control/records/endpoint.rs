//! Endpoints.

use flash_core::clock::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::Kind;

/// One endpoint as it was saved. Image and environment are in its template.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(in crate::control) struct Endpoint {
    pub(in crate::control) id: String,
    pub(in crate::control) name: String,
    pub(in crate::control) is_load_balanced: bool,
    pub(in crate::control) template: String,
    /// `None` for a CPU endpoint.
    pub(in crate::control) gpu: Option<Gpu>,
    pub(in crate::control) cpu: Vec<CpuInstance>,
    pub(in crate::control) data_centers: Vec<String>,
    pub(in crate::control) volumes: Vec<String>,
    pub(in crate::control) scaler: ScalerOf,
    pub(in crate::control) workers_min: u32,
    pub(in crate::control) workers_max: u32,
    pub(in crate::control) workers_standby: u32,
    pub(in crate::control) workers_pfb_target: u32,
    /// Seconds.
    pub(in crate::control) idle_timeout: u32,
    /// Milliseconds; 0 is the platform's own.
    pub(in crate::control) execution_timeout: u64,
    pub(in crate::control) flash_boot: FlashBoot,
    /// The Flash environment whose artifact its workers run.
    pub(in crate::control) environment: Option<String>,
    /// The artifact that its workers are to run: the environment's active one when the endpoint was looked at last.
    pub(in crate::control) build: Option<String>,
    pub(in crate::control) version: u32,
    pub(in crate::control) created: Timestamp,
    /// A secret that RunPod gives to each endpoint.
    pub(in crate::control) ai_key: String,
}

/// Which GPUs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::control) struct Gpu {
    pub(in crate::control) pools: Vec<String>,
    pub(in crate::control) excluded: Vec<String>,
    pub(in crate::control) count: u32,
    pub(in crate::control) allowed_cuda: Vec<String>,
    pub(in crate::control) min_cuda: Option<String>,
}

impl Gpu {
    /// From RunPod's list, in which a leading `-` leaves a type out.
    pub(in crate::control) fn from_ids(ids: &str, count: u32, allowed: &str, min: Option<String>) -> Self {
        let list = |text: &str| {
            text.split(',')
                .map(str::trim)
                .filter(|one| !one.is_empty())
                .map(str::to_owned)
                .collect::<Vec<_>>()
        };
        let (excluded, pools): (Vec<_>, Vec<_>) = list(ids).into_iter().partition(|id| id.starts_with('-'));
        let excluded = excluded.iter().map(|id| id[1..].to_owned()).collect();
        Self {
            pools,
            excluded,
            count,
            allowed_cuda: list(allowed),
            min_cuda: min.filter(|min| !min.is_empty()),
        }
    }

    pub(in crate::control) fn ids(&self) -> String {
        let excluded = self.excluded.iter().map(|id| format!("-{id}"));
        self.pools.iter().cloned().chain(excluded).collect::<Vec<_>>().join(",")
    }
}

/// Which CPUs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::control) struct CpuInstance {
    /// The flavour, such as `cpu3c`.
    pub(in crate::control) flavor: String,
    pub(in crate::control) vcpus: u32,
    /// GB.
    pub(in crate::control) memory: u32,
}

impl CpuInstance {
    /// `cpu3g-2-8`: flavour, vCPUs, memory.
    pub(in crate::control) fn from_id(id: &str) -> Option<Self> {
        let mut parts = id.split('-');
        let flavor = parts.next().filter(|flavor| !flavor.is_empty())?.to_owned();
        let (vcpus, memory) = (parts.next()?.parse().ok()?, parts.next()?.parse().ok()?);
        (parts.next().is_none() && vcpus > 0).then_some(Self { flavor, vcpus, memory })
    }

    pub(in crate::control) fn id(&self) -> String {
        format!("{}-{}-{}", self.flavor, self.vcpus, self.memory)
    }
}

/// The scaler, with its value as it was given.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(in crate::control) enum ScalerOf {
    /// Seconds.
    QueueDelay(f64),
    RequestCount(u32),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub(in crate::control) enum FlashBoot {
    Off,
    #[serde(rename = "FLASHBOOT")]
    On,
    #[serde(rename = "PRIORITY_FLASHBOOT")]
    Priority,
}

impl Endpoint {
    pub(in crate::control) const fn kind(&self) -> Kind {
        if self.is_load_balanced { Kind::LoadBalanced } else { Kind::Queue }
    }

    /// The fields whose change means other workers, under the names that releases give them.
    pub(in crate::control) fn rolling(&self) -> [(&'static str, Value); 8] {
        let gpu = self.gpu.as_ref();
        [
            ("gpuIds", json!(gpu.map(Gpu::ids))),
            ("gpuCount", json!(gpu.map(|gpu| gpu.count))),
            ("minCudaVersion", json!(gpu.and_then(|gpu| gpu.min_cuda.clone()))),
            ("instanceIds", json!(self.cpu.iter().map(CpuInstance::id).collect::<Vec<_>>())),
            ("locations", json!(self.data_centers.join(","))),
            ("networkVolumeIds", json!(self.volumes)),
            ("flashEnvironmentId", json!(self.environment)),
            ("flashBuildId", json!(self.build)),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hardware_is_read_and_written_as_it_was() {
        let gpu = Gpu::from_ids("AMPERE_24, ADA_24,-NVIDIA L4", 1, "12.8,12.9", Some(String::new()));
        assert_eq!(
            (gpu.pools.len(), gpu.excluded.as_slice(), gpu.min_cuda.as_ref()),
            (2, &["NVIDIA L4".to_owned()][..], None)
        );
        assert_eq!(gpu.ids(), "AMPERE_24,ADA_24,-NVIDIA L4");
        for id in ["cpu3g-2-8", "cpu5c-8-16"] {
            assert_eq!(CpuInstance::from_id(id).unwrap().id(), id);
        }
        for id in ["", "cpu3g", "cpu3g-2", "cpu3g-x-8", "cpu3g-2-8-9", "-2-8", "cpu3g-0-8"] {
            assert_eq!(CpuInstance::from_id(id), None, "{id}");
        }
    }
}
