use flash::RemoteError;
use serde::{Deserialize, Serialize};
use sysinfo::{CpuRefreshKind, MemoryRefreshKind, RefreshKind, System};

use super::{CgroupError, Limits};

/// Why the machine cannot be told.
#[derive(Debug, thiserror::Error, RemoteError)]
pub enum CpuError {
    /// The operating system gave no answer.
    #[error("failed to read the system: {0}")]
    System(String),
    /// The limits of the container are unreadable. Callers get the text, but not the cause as a value.
    #[error("failed to read the container's limits: {0}")]
    #[remote(opaque)]
    Limits(#[from] CgroupError),
}

/// The machine as an answer tells it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CpuInfo {
    /// Product name of the processor.
    pub model: String,
    /// Cores, where the system tells.
    pub physical_cores: Option<usize>,
    /// Hardware threads.
    pub logical_cores: usize,
    /// Instruction set, such as `x86_64`.
    pub arch: String,
    /// Clock of the first core in MHz; 0 where the system does not tell.
    pub frequency_mhz: u64,
    /// Runnable threads on average over the last minute, where the system tells.
    pub load_1m: Option<f64>,
    /// Memory of the machine in GiB, two decimals.
    pub memory_total_gb: f64,
    /// Memory that programs could still get, in GiB, two decimals.
    pub memory_available_gb: f64,
    /// Cores that the container may use; null without a limit.
    pub cpu_limit_cores: Option<f64>,
    /// Memory that the container may use in GiB, two decimals; null without a limit.
    pub memory_limit_gb: Option<f64>,
}

impl CpuInfo {
    /// Reads this machine. Takes some milliseconds.
    ///
    /// # Errors
    /// [`CpuError`] when the operating system does not tell even the essentials, or the container's limits are unreadable.
    pub fn read() -> Result<Self, CpuError> {
        let what = RefreshKind::nothing()
            .with_cpu(CpuRefreshKind::nothing().with_frequency())
            .with_memory(MemoryRefreshKind::nothing().with_ram());
        let system = System::new_with_specifics(what).map_err(|error| CpuError::System(error.to_string()))?;
        let limits = Limits::of_this_process()?;
        let first =
            system.cpus().first().ok_or_else(|| CpuError::System("it lists no processor".to_owned()))?;
        Ok(Self {
            model: first.brand().trim().to_owned(),
            physical_cores: System::physical_core_count().ok(),
            logical_cores: system.cpus().len(),
            arch: std::env::consts::ARCH.to_owned(),
            frequency_mhz: first.frequency(),
            load_1m: System::load_average().ok().map(|load| load.one),
            memory_total_gb: gib(system.total_memory()),
            memory_available_gb: gib(system.available_memory()),
            cpu_limit_cores: limits.cpus,
            memory_limit_gb: limits.memory_bytes.map(gib),
        })
    }
}

/// Bytes to GiB, two decimals.
fn gib(bytes: u64) -> f64 {
    (bytes as f64 / (1u64 << 30) as f64 * 100.0).round() / 100.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_machine_has_cores_and_memory() {
        let info = CpuInfo::read().unwrap();
        assert!(info.logical_cores >= 1, "{info:?}");
        assert!(info.physical_cores.is_none_or(|cores| cores >= 1), "{info:?}");
        assert!(info.memory_total_gb > 0.0, "{info:?}");
        assert!(info.memory_available_gb <= info.memory_total_gb, "{info:?}");
        assert_eq!(info.arch, std::env::consts::ARCH);
    }

    #[test]
    fn an_answer_reads_back() {
        let info = CpuInfo::read().unwrap();
        let json = serde_json::to_value(&info).unwrap();
        assert_eq!(serde_json::from_value::<CpuInfo>(json).unwrap(), info);
    }

    #[test]
    fn memory_is_told_in_gib() {
        assert_eq!(gib(2 << 30), 2.0);
        assert_eq!(gib(1_610_612_736 + 5_000_000), 1.5);
    }
}
