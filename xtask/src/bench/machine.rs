//! The machine that a benchmark runs on.

use std::fs;
use std::process::Command;

use crate::tool;

/// Where the two sides of a measurement run.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Cores {
    /// The core of the program that is measured.
    pub(crate) measured: Option<usize>,
    /// The core of the program that measures it.
    pub(crate) other: Option<usize>,
}

impl Cores {
    /// Two different cores where there are two and `taskset` can pin a process.
    pub(crate) fn choose() -> Self {
        let allowed = allowed_cores();
        match allowed[..] {
            [first, second, ..] if tool::on_path("taskset") => {
                Self { measured: Some(first), other: Some(second) }
            }
            _ => {
                eprintln!(
                    "note: nothing is pinned to a core (this takes two cores and `taskset` of util-linux), ratios will scatter"
                );
                Self { measured: None, other: None }
            }
        }
    }
}

/// A command that runs a program, pinned to a core if one is given.
pub(crate) fn pinned(program: &std::path::Path, core: Option<usize>) -> Command {
    match core {
        Some(core) => {
            let mut command = Command::new("taskset");
            command.arg("--cpu-list").arg(core.to_string()).arg(program);
            command
        }
        None => Command::new(program),
    }
}

/// A line about the machine, for the report.
pub(crate) fn description() -> String {
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let info = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = info.lines().find_map(|line| line.strip_prefix("model name")?.split_once(':'));
    let model = model.map_or("unknown processor", |(_, name)| name.trim());
    format!("{cores} vCPU, {model}")
}

fn allowed_cores() -> Vec<usize> {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let list = status.lines().find_map(|line| line.strip_prefix("Cpus_allowed_list:"));
    list.map(core_list).unwrap_or_default()
}

/// Reads a list like `0-2,5`.
fn core_list(list: &str) -> Vec<usize> {
    let mut cores = Vec::new();
    for part in list.trim().split(',') {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        if let (Ok(first), Ok(last)) = (first.parse::<usize>(), last.parse::<usize>()) {
            cores.extend(first..=last);
        }
    }
    cores
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_of_cores_are_read() {
        assert_eq!(core_list("\t0-2,5\n"), [0, 1, 2, 5]);
        assert_eq!(core_list("3"), [3]);
        assert!(core_list("none").is_empty());
    }
}
