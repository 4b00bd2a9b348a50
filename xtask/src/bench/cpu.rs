//! CPU time of commands, as the kernel adds it up for children that have ended.

use std::fs;
use std::process::Command;
use std::time::Instant;

use super::report;
use crate::Result;

/// The kernel's ticks; 100 on every architecture that Linux offers today.
const TICKS_PER_SECOND: f64 = 100.0;

/// What a command used.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Used {
    /// Seconds of CPU, of the command and everything it started and waited for.
    pub(crate) cpu: f64,
    /// Seconds until it ended.
    pub(crate) clock: f64,
}

/// Runs a command to its end.
///
/// # Errors
/// When it cannot be started or fails; the message holds what it wrote.
pub(crate) fn measure(command: &mut Command) -> Result<Used> {
    let (before, began) = (ended_children()?, Instant::now());
    let output = command.output()?;
    let used = Used { cpu: ended_children()? - before, clock: began.elapsed().as_secs_f64() };
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        return Err(format!("{command:?} failed ({})\n{}", output.status, report::last_lines(&said)).into());
    }
    Ok(used)
}

/// Watches how much CPU is used by others than this program and its children.
#[derive(Debug)]
pub(crate) struct Others {
    began: Instant,
    /// Seconds of CPU that others had used when it began.
    before: f64,
}

impl Others {
    /// Begins to watch.
    ///
    /// # Errors
    /// When the kernel does not tell.
    pub(crate) fn watch() -> Result<Self> {
        Ok(Self { began: Instant::now(), before: others()? })
    }

    /// How many cores others kept busy since it began. Counts only children of ours that have ended.
    ///
    /// # Errors
    /// When the kernel does not tell.
    pub(crate) fn cores(&self) -> Result<f64> {
        Ok((others()? - self.before).max(0.0) / self.began.elapsed().as_secs_f64())
    }
}

/// Seconds of CPU that the whole machine has used, without those of this program and its children.
fn others() -> Result<f64> {
    let machine = fs::read_to_string("/proc/stat")?;
    let own = fs::read_to_string("/proc/self/stat")?;
    let ticks = busy_ticks(&machine).zip(own_ticks(&own)).ok_or("unreadable machine status")?;
    Ok(ticks.0.saturating_sub(ticks.1) as f64 / TICKS_PER_SECOND)
}

/// User, nice and system time of all cores (proc(5)). Interrupts are left out, because our own packets cause most of them.
fn busy_ticks(stat: &str) -> Option<u64> {
    let fields: Vec<u64> = stat.lines().next()?.split_whitespace().skip(1).flat_map(str::parse).collect();
    let [user, nice, system, ..] = fields[..] else { return None };
    Some(user + nice + system)
}

/// Times of the process and of its ended children: fields 14 to 17.
fn own_ticks(stat: &str) -> Option<u64> {
    let fields = after_name(stat)?.skip(11).take(4);
    fields.map(|field| field.parse::<u64>().ok()).sum()
}

/// The fields from the third on. The second is the program's name in parentheses and may hold spaces.
fn after_name(stat: &str) -> Option<impl Iterator<Item = &str>> {
    Some(stat.rsplit_once(')')?.1.split_whitespace())
}

/// Seconds of CPU of all children that have ended (proc(5): `cutime` and `cstime`, in ticks of 10 ms).
fn ended_children() -> Result<f64> {
    let stat = fs::read_to_string("/proc/self/stat")?;
    let ticks = child_ticks(&stat).ok_or("unreadable process status")?;
    Ok(ticks as f64 / TICKS_PER_SECOND)
}

fn child_ticks(stat: &str) -> Option<u64> {
    // The two times are fields 16 and 17.
    let fields = after_name(stat)?.skip(13).take(2);
    fields.map(|field| field.parse::<u64>().ok()).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kernels_lines_are_read() {
        let stat = "7 (a b) c) S 1 7 7 0 -1 4194560 100 0 0 0 12 30 40 2 20 0 1 0 100 0 0";
        assert_eq!(child_ticks(stat), Some(42));
        assert_eq!(own_ticks(stat), Some(84));
        assert_eq!(busy_ticks("cpu  100 1 20 999 999 3 4 0 0 0\ncpu0 1 1 1 1 1 1 1"), Some(121));
        assert_eq!(busy_ticks(""), None);
    }

    #[test]
    fn work_of_a_child_counts_and_a_failure_is_told() {
        let mut work = Command::new("sh");
        let used =
            measure(work.args(["-c", "i=0; while [ $i -lt 300000 ]; do i=$((i+1)); done"])).expect("it runs");
        assert!(used.cpu > 0.0 && used.clock > 0.0);
        let mut failing = Command::new("sh");
        let error =
            measure(failing.args(["-c", "echo because >&2; exit 1"])).expect_err("it fails").to_string();
        assert!(error.contains("because"), "{error}");
    }
}
