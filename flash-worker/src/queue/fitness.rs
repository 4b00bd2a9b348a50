//! What a worker looks at before its first job (platform contract B.12). Only what somebody asked for: Python's worker
//! wants 4 GB of free memory by default, which small CPU workers do not have.

use std::path::Path;

use flash_core::boot::Fitness;
use flash_core::{Endpoint, Hardware};

use super::gpu;

const GIB: f64 = 1_073_741_824.0;

/// A check that failed.
#[derive(Debug, PartialEq)]
pub(crate) struct Unfit {
    pub(crate) check: &'static str,
    pub(crate) reason: String,
}

/// Looks at the machine whose file system begins at `root`.
///
/// # Errors
/// The first check that failed. What cannot be measured is not held against the machine.
pub(crate) fn check(wanted: &Fitness, endpoint: &Endpoint, root: &Path) -> Result<(), Unfit> {
    let fail = |check, reason| Err(Unfit { check, reason });
    if !wanted.skip_system {
        if let (Some(least), Some(free)) = (wanted.min_memory_gb, free_memory(root))
            && free / GIB < least
        {
            return fail("memory", format!("{:.1} GiB of memory are free, {least} are needed", free / GIB));
        }
        if let (Some(least), Some(free)) = (wanted.min_disk_percent, free_disk(root))
            && free < least
        {
            return fail("disk", format!("{free:.1} % of the disk are free, {least} are needed"));
        }
    }
    let declared = match endpoint.hardware() {
        Hardware::Gpu { count, .. } => count,
        Hardware::Cpu(_) => 0,
    };
    let min_cuda = wanted.min_cuda.as_deref().or(endpoint.min_cuda_version());
    if wanted.skip_gpu || (declared == 0 && min_cuda.is_none()) {
        return Ok(());
    }
    gpu::check(declared.max(1), min_cuda).or_else(|reason| fail("gpu", reason))
}

/// Bytes that this container may still use.
fn free_memory(root: &Path) -> Option<f64> {
    let read = |file: &str| std::fs::read_to_string(root.join(file)).ok();
    let number = |file: &str| read(file)?.trim().parse::<f64>().ok();
    let meminfo = read("proc/meminfo")?;
    let available = meminfo.lines().find_map(|line| line.strip_prefix("MemAvailable:"))?;
    let machine = available.trim().trim_end_matches("kB").trim().parse::<f64>().ok()? * 1024.0;
    // A container sees the machine's memory and gets less of it. `max`: no limit.
    let limited = |limit: &str, used: &str| Some((number(limit)? - number(used)?).max(0.0));
    let container = limited("sys/fs/cgroup/memory.max", "sys/fs/cgroup/memory.current").or_else(|| {
        limited("sys/fs/cgroup/memory/memory.limit_in_bytes", "sys/fs/cgroup/memory/memory.usage_in_bytes")
    });
    Some(container.map_or(machine, |container| container.min(machine)))
}

/// Percent of the disk that are free.
fn free_disk(root: &Path) -> Option<f64> {
    let disk = rustix::fs::statvfs(root).ok()?;
    (disk.f_blocks > 0).then(|| 100.0 * disk.f_bavail as f64 / disk.f_blocks as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    static CPU: Endpoint = Endpoint::queue("cpu").cpu(&["cpu3c-1-2"]);

    /// A machine with 8 GiB of free memory, whose container may use so much and uses so much.
    fn machine(container: Option<(&str, &str)>) -> tempfile::TempDir {
        let root = tempfile::tempdir().unwrap();
        let write = |file: &str, text: &str| {
            let file = root.path().join(file);
            std::fs::create_dir_all(file.parent().unwrap()).unwrap();
            std::fs::write(file, text).unwrap();
        };
        write("proc/meminfo", "MemTotal:       16777216 kB\nMemAvailable:    8388608 kB\n");
        if let Some((limit, used)) = container {
            write("sys/fs/cgroup/memory.max", limit);
            write("sys/fs/cgroup/memory.current", used);
        }
        root
    }

    fn memory(least: f64, root: &tempfile::TempDir) -> Result<(), String> {
        let wanted = Fitness { min_memory_gb: Some(least), ..Fitness::default() };
        check(&wanted, &CPU, root.path()).map_err(|unfit| unfit.reason)
    }

    #[test]
    fn memory_is_what_the_container_may_use() {
        assert_eq!(memory(7.9, &machine(None)), Ok(()));
        let text = "8.0 GiB of memory are free, 8.1 are needed";
        assert_eq!(memory(8.1, &machine(None)), Err(text.to_owned()));
        assert_eq!(memory(8.0, &machine(Some(("max\n", "123\n")))), Ok(()));
        let small = machine(Some(("2147483648\n", "1073741824\n")));
        assert_eq!(memory(1.0, &small), Ok(()));
        assert!(memory(1.5, &small).unwrap_err().starts_with("1.0 GiB"));
    }

    #[test]
    fn nothing_is_checked_that_nobody_asked_for() {
        let nothing = tempfile::tempdir().unwrap();
        assert_eq!(check(&Fitness::default(), &CPU, nothing.path()), Ok(()));
        // A machine that does not tell is taken as it is.
        assert_eq!(memory(1e9, &nothing), Ok(()));
        let skipped = Fitness {
            min_memory_gb: Some(1e9),
            min_disk_percent: Some(101.0),
            skip_system: true,
            ..Fitness::default()
        };
        assert_eq!(check(&skipped, &CPU, Path::new("/")), Ok(()));
    }

    #[test]
    fn this_machine_is_measured() {
        let disk = |least| Fitness { min_disk_percent: Some(least), ..Fitness::default() };
        assert_eq!(check(&disk(0.0), &CPU, Path::new("/")), Ok(()));
        assert_eq!(check(&disk(100.1), &CPU, Path::new("/")).unwrap_err().check, "disk");
        let memory = Fitness { min_memory_gb: Some(1e9), ..Fitness::default() };
        assert_eq!(check(&memory, &CPU, Path::new("/")).unwrap_err().check, "memory");
    }

    #[test]
    fn a_gpu_is_looked_for_where_one_is_declared() {
        static GPU: Endpoint = Endpoint::queue("gpu").gpu(&["ADA_24"]).gpu_count(2).min_cuda("12.4");
        let found = check(&Fitness::default(), &GPU, Path::new("/"));
        // On a machine without one, which is what tests run on, that is the finding.
        if let Err(unfit) = found {
            assert_eq!(unfit.check, "gpu");
        }
        assert_eq!(check(&Fitness { skip_gpu: true, ..Fitness::default() }, &GPU, Path::new("/")), Ok(()));
    }
}
