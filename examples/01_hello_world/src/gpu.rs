//! What GPU this machine has.

use std::sync::LazyLock;

use nvml_wrapper::{Nvml, error::NvmlError};
use serde::{Deserialize, Serialize};

/// What a probe found about the first GPU of a machine, in the units of the driver.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GpuFacts {
    /// Product name.
    pub name: String,
    /// GPUs of the machine, at least 1.
    pub count: u32,
    /// Memory in bytes.
    pub memory_bytes: u64,
    /// Version of the driver, as it prints it.
    pub driver_version: String,
    /// Newest CUDA version the driver supports: 1000 times major plus 10 times minor.
    pub cuda_driver_version: i32,
    /// Major and minor.
    pub compute_capability: (i32, i32),
}

/// A way to ask for the GPU. Programs use [`NvmlProbe`]; tests bring their own, so that they run on any machine.
pub trait GpuProbe {
    /// Asks for the first GPU.
    ///
    /// # Errors
    /// Why there is no answer, in the words of the driver.
    fn facts(&self) -> Result<GpuFacts, String>;
}

/// Asks the NVIDIA driver through its management library, which is loaded when the program runs: without it the program still
/// builds and starts.
#[derive(Debug, Clone, Copy, Default)]
pub struct NvmlProbe;

impl GpuProbe for NvmlProbe {
    fn facts(&self) -> Result<GpuFacts, String> {
        // Loaded once: a machine does not gain a driver while a program runs, and loading takes milliseconds.
        static NVML: LazyLock<Result<Nvml, NvmlError>> = LazyLock::new(Nvml::init);

        let nvml = NVML.as_ref().map_err(ToString::to_string)?;
        read(nvml).map_err(|error| error.to_string())
    }
}

fn read(nvml: &Nvml) -> Result<GpuFacts, NvmlError> {
    let device = nvml.device_by_index(0)?;
    let capability = device.cuda_compute_capability()?;
    Ok(GpuFacts {
        name: device.name()?,
        count: nvml.device_count()?,
        memory_bytes: device.memory_info()?.total,
        driver_version: nvml.sys_driver_version()?,
        cuda_driver_version: nvml.sys_cuda_driver_version()?,
        compute_capability: (capability.major, capability.minor),
    })
}

/// The GPU as an answer tells it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct GpuInfo {
    /// Whether there is one.
    pub available: bool,
    /// Product name, or `No GPU`.
    pub name: String,
    /// GPUs of the machine.
    pub count: u32,
    /// Memory of the first one in GiB, two decimals.
    pub memory_gb: f64,
    /// Version of the driver.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub driver_version: Option<String>,
    /// Newest CUDA version the driver supports, such as `12.4`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cuda_driver_version: Option<String>,
    /// Compute capability of the first one, such as `8.9`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub compute_capability: Option<String>,
    /// Why there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

impl GpuInfo {
    /// Asks a probe. A machine without a GPU is an answer, not an error.
    #[must_use]
    pub fn of(probe: &impl GpuProbe) -> Self {
        match probe.facts() {
            Ok(facts) => Self {
                available: true,
                name: facts.name,
                count: facts.count,
                memory_gb: gib(facts.memory_bytes),
                driver_version: Some(facts.driver_version),
                cuda_driver_version: Some(cuda_version(facts.cuda_driver_version)),
                compute_capability: Some(format!(
                    "{}.{}",
                    facts.compute_capability.0, facts.compute_capability.1
                )),
                reason: None,
            },
            Err(reason) => Self {
                available: false,
                name: "No GPU".to_owned(),
                count: 0,
                memory_gb: 0.0,
                driver_version: None,
                cuda_driver_version: None,
                compute_capability: None,
                reason: Some(reason),
            },
        }
    }
}

/// Bytes to GiB, two decimals.
fn gib(bytes: u64) -> f64 {
    (bytes as f64 / (1u64 << 30) as f64 * 100.0).round() / 100.0
}

fn cuda_version(version: i32) -> String {
    format!(
        "{}.{}",
        nvml_wrapper::cuda_driver_version_major(version),
        nvml_wrapper::cuda_driver_version_minor(version)
    )
}

#[cfg(test)]
pub(crate) mod fake {
    use super::{GpuFacts, GpuProbe};

    /// Answers what it was made with.
    pub(crate) struct FakeProbe(Result<GpuFacts, String>);

    impl FakeProbe {
        /// Two cards of 24 564 MiB.
        pub(crate) fn with_gpu() -> Self {
            Self(Ok(GpuFacts {
                name: "NVIDIA GeForce RTX 4090".to_owned(),
                count: 2,
                memory_bytes: 24_564 << 20,
                driver_version: "550.54.15".to_owned(),
                cuda_driver_version: 12_040,
                compute_capability: (8, 9),
            }))
        }

        /// A machine without a driver.
        pub(crate) fn without_gpu() -> Self {
            Self(Err("the driver is not there".to_owned()))
        }
    }

    impl GpuProbe for FakeProbe {
        fn facts(&self) -> Result<GpuFacts, String> {
            self.0.clone()
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{fake::FakeProbe, *};

    #[test]
    fn a_gpu_is_told_in_full() {
        let info = GpuInfo::of(&FakeProbe::with_gpu());
        let expected = json!({
            "available": true,
            "name": "NVIDIA GeForce RTX 4090",
            "count": 2,
            "memory_gb": 23.99,
            "driver_version": "550.54.15",
            "cuda_driver_version": "12.4",
            "compute_capability": "8.9",
        });
        assert_eq!(serde_json::to_value(&info).unwrap(), expected);
        assert_eq!(serde_json::from_value::<GpuInfo>(expected).unwrap(), info);
    }

    #[test]
    fn a_missing_gpu_is_told_with_the_reason() {
        let expected = json!({
            "available": false,
            "name": "No GPU",
            "count": 0,
            "memory_gb": 0.0,
            "reason": "the driver is not there",
        });
        assert_eq!(serde_json::to_value(GpuInfo::of(&FakeProbe::without_gpu())).unwrap(), expected);
    }

    // Holds on machines with and without a GPU.
    #[test]
    fn the_driver_gives_facts_or_a_reason() {
        let info = GpuInfo::of(&NvmlProbe);
        assert_eq!(info.available, info.count > 0);
        assert_eq!(info.available, info.memory_gb > 0.0);
        assert_eq!(info.available, info.reason.is_none());
        assert!(!info.reason.is_some_and(|reason| reason.is_empty()));
    }

    #[test]
    #[ignore = "needs a machine with an NVIDIA GPU"]
    fn a_real_gpu_is_found() {
        let info = GpuInfo::of(&NvmlProbe);
        assert!(info.available, "{info:?}");
        assert!(info.driver_version.is_some() && info.compute_capability.is_some(), "{info:?}");
    }
}
