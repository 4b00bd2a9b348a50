//! CPU time and memory of another process, as the Linux kernel counts them (proc(5)).

use std::fs;
use std::io;

/// Kernel ticks per second of the times in `/proc/PID/stat`; 100 on every architecture that Linux offers today.
const TICKS_PER_SECOND: u64 = 100;

/// A process to look at.
#[derive(Debug, Clone, Copy)]
pub struct Process {
    pid: u32,
}

impl Process {
    /// The process of this id.
    #[must_use]
    pub fn new(pid: u32) -> Self {
        Self { pid }
    }

    /// Nanoseconds of CPU that its threads have used.
    ///
    /// Read from the scheduler where the kernel offers it, because the times in `stat` have a resolution of 10 ms.
    ///
    /// # Errors
    /// When the process is gone.
    pub fn cpu_ns(self) -> io::Result<u64> {
        match self.scheduled_ns() {
            Ok(ns) => Ok(ns),
            Err(_) => self.ticks().map(|ticks| ticks * (1_000_000_000 / TICKS_PER_SECOND)),
        }
    }

    /// Mebibytes of memory that are resident now.
    ///
    /// # Errors
    /// When the process is gone.
    pub fn resident_mib(self) -> io::Result<f64> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.pid))?;
        resident_kib(&status)
            .map(|kib| kib as f64 / 1024.0)
            .ok_or_else(|| io::Error::other("VmRSS is missing"))
    }

    /// The most mebibytes of memory that were ever resident.
    ///
    /// # Errors
    /// When the process is gone.
    pub fn peak_mib(self) -> io::Result<f64> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.pid))?;
        kib(&status, "VmHWM:")
            .map(|kib| kib as f64 / 1024.0)
            .ok_or_else(|| io::Error::other("VmHWM is missing"))
    }

    fn scheduled_ns(self) -> io::Result<u64> {
        let mut sum = 0;
        for thread in fs::read_dir(format!("/proc/{}/task", self.pid))? {
            // A thread may end between the listing and the reading.
            let Ok(line) = fs::read_to_string(thread?.path().join("schedstat")) else { continue };
            sum += line.split_whitespace().next().and_then(|ns| ns.parse::<u64>().ok()).unwrap_or(0);
        }
        if sum == 0 { Err(io::Error::other("this kernel has no schedstat")) } else { Ok(sum) }
    }

    fn ticks(self) -> io::Result<u64> {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.pid))?;
        user_and_system_ticks(&stat).ok_or_else(|| io::Error::other("unreadable process status"))
    }
}

fn resident_kib(status: &str) -> Option<u64> {
    kib(status, "VmRSS:")
}

fn kib(status: &str, name: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix(name))?;
    line.trim().strip_suffix("kB")?.trim().parse().ok()
}

fn user_and_system_ticks(stat: &str) -> Option<u64> {
    // The second field is the program's name in parentheses and may hold spaces; `utime` and `stime` are fields 14 and 15.
    let mut fields = stat.rsplit_once(')')?.1.split_whitespace().skip(11);
    Some(fields.next()?.parse::<u64>().ok()? + fields.next()?.parse::<u64>().ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kernels_lines_are_read() {
        assert_eq!(resident_kib("Name:\tx\nVmHWM:\t    5000 kB\nVmRSS:\t    4096 kB\n"), Some(4096));
        let stat = "7 (a b) c) S 1 7 7 0 -1 4194560 100 0 0 0 12 30 0 0 20 0 1 0 100 0 0";
        assert_eq!(user_and_system_ticks(stat), Some(42));
    }

    #[test]
    fn this_process_uses_memory_and_time() {
        let me = Process::new(std::process::id());
        assert!(me.resident_mib().is_ok_and(|mib| mib > 0.1));
        assert!(me.cpu_ns().is_ok());
        assert!(Process::new(u32::MAX).resident_mib().is_err());
    }
}
