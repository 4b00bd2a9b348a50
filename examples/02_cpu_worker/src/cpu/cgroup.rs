use std::{
    fs, io,
    path::{Path, PathBuf},
};

/// What the container may use of the machine; nothing where it has no limit.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Limits {
    /// Processor time per time, in cores.
    pub cpus: Option<f64>,
    /// Memory in bytes.
    pub memory_bytes: Option<u64>,
}

/// Why a control group cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum CgroupError {
    /// The file is there, but not readable.
    #[error("failed to read {}: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The file says something that the kernel's documentation does not.
    #[error("{} holds {content:?}, expected {expected}", path.display())]
    Format {
        /// The file.
        path: PathBuf,
        /// What it holds.
        content: String,
        /// What it should hold.
        expected: &'static str,
    },
}

impl Limits {
    /// The limits of this process. A system without control groups of version 2 has none.
    ///
    /// # Errors
    /// [`CgroupError`] when a file of the group is unreadable or malformed.
    pub fn of_this_process() -> Result<Self, CgroupError> {
        let own = fs::read_to_string("/proc/self/cgroup").unwrap_or_default();
        Self::read(Path::new("/sys/fs/cgroup"), &own)
    }

    /// The limits of the group that `own`, the content of `/proc/self/cgroup`, names below `root`.
    ///
    /// A group cannot use more than the groups around it, so the smallest limit on the way up counts. Source: "Control Group
    /// v2" in the kernel's documentation, `cpu.max` and `memory.max`.
    ///
    /// # Errors
    /// As [`of_this_process`](Self::of_this_process).
    pub fn read(root: &Path, own: &str) -> Result<Self, CgroupError> {
        // Version 2 is the line with the number 0 and no controllers.
        let group = own.lines().find_map(|line| line.strip_prefix("0::/")).unwrap_or_default();
        let mut limits = Self::default();
        for folder in root.join(group).ancestors().take_while(|folder| folder.starts_with(root)) {
            limits.cpus = smallest(limits.cpus, cpus(&folder.join("cpu.max"))?, f64::min);
            limits.memory_bytes =
                smallest(limits.memory_bytes, memory(&folder.join("memory.max"))?, u64::min);
        }
        Ok(limits)
    }
}

fn smallest<T>(a: Option<T>, b: Option<T>, min: fn(T, T) -> T) -> Option<T> {
    match (a, b) {
        (Some(a), Some(b)) => Some(min(a, b)),
        (a, b) => a.or(b),
    }
}

/// `max 100000` or `150000 100000`: microseconds of processor time in each period of so many microseconds.
fn cpus(path: &Path) -> Result<Option<f64>, CgroupError> {
    let Some(content) = content(path)? else { return Ok(None) };
    let quota = match content.split_whitespace().collect::<Vec<_>>().as_slice() {
        ["max", _period] => return Ok(None),
        [quota, period] => quota.parse::<u32>().ok().zip(period.parse::<u32>().ok()),
        _ => None,
    };
    match quota {
        Some((quota, period)) if period > 0 => Ok(Some(f64::from(quota) / f64::from(period))),
        _ => Err(CgroupError::Format {
            path: path.to_owned(),
            content,
            expected: "`max` or a number, and a period",
        }),
    }
}

/// `max` or bytes.
fn memory(path: &Path) -> Result<Option<u64>, CgroupError> {
    match content(path)? {
        None => Ok(None),
        Some(content) if content == "max" => Ok(None),
        Some(content) => match content.parse() {
            Ok(bytes) => Ok(Some(bytes)),
            Err(_) => Err(CgroupError::Format {
                path: path.to_owned(),
                content,
                expected: "`max` or a number of bytes",
            }),
        },
    }
}

/// A missing file is no limit: the root group has neither file, and a controller may be off.
fn content(path: &Path) -> Result<Option<String>, CgroupError> {
    match fs::read_to_string(path) {
        Ok(content) => Ok(Some(content.trim().to_owned())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(source) => Err(CgroupError::Read { path: path.to_owned(), source }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fixture(name: &str, own: &str) -> Result<Limits, CgroupError> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/cgroup").join(name);
        assert!(root.is_dir(), "the fixture {name} is missing");
        Limits::read(&root, own)
    }

    #[test]
    fn limits_are_read_in_cores_and_bytes() {
        let limits = fixture("limited", "0::/\n").unwrap();
        assert_eq!(limits, Limits { cpus: Some(1.5), memory_bytes: Some(2 << 30) });
    }

    #[test]
    fn max_is_no_limit() {
        assert_eq!(fixture("unlimited", "0::/\n").unwrap(), Limits::default());
    }

    #[test]
    fn the_smallest_limit_on_the_way_up_counts() {
        let own = "1:name=systemd:/other\n0::/machine/job\n";
        let limits = fixture("nested", own).unwrap();
        assert_eq!(limits, Limits { cpus: Some(0.5), memory_bytes: Some(4 << 30) });
        // What is above the root does not count, and neither do other groups.
        assert_eq!(fixture("nested", "0::/\n").unwrap(), Limits::default());
    }

    #[test]
    fn a_system_without_version_2_has_no_limits() {
        assert_eq!(fixture("unlimited", "4:memory:/docker/abc\n").unwrap(), Limits::default());
        assert_eq!(Limits::read(Path::new("no/such/folder"), "0::/\n").unwrap(), Limits::default());
    }

    #[test]
    fn a_malformed_file_is_named_with_its_content() {
        let error = fixture("malformed", "0::/\n").unwrap_err().to_string();
        assert!(error.contains("cpu.max") && error.contains("\"lots\""), "{error}");
        let error = fixture("malformed_memory", "0::/\n").unwrap_err().to_string();
        assert!(error.contains("memory.max") && error.contains("\"2G\""), "{error}");
    }
}
