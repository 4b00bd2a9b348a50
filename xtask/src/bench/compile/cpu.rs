//! CPU time of commands, as the kernel adds it up for children that have ended.

use std::fs;
use std::process::Command;
use std::time::Instant;

use crate::Result;

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
        return Err(format!(
            "{command:?} failed ({})\n{}",
            output.status,
            String::from_utf8_lossy(&output.stderr)
        )
        .into());
    }
    Ok(used)
}

/// Seconds of CPU of all children that have ended (proc(5): `cutime` and `cstime`, in ticks of 10 ms).
fn ended_children() -> Result<f64> {
    let stat = fs::read_to_string("/proc/self/stat")?;
    let ticks = child_ticks(&stat).ok_or("unreadable process status")?;
    Ok(ticks as f64 / 100.0)
}

fn child_ticks(stat: &str) -> Option<u64> {
    // The second field is the program's name in parentheses and may hold spaces; the two times are fields 16 and 17.
    let mut fields = stat.rsplit_once(')')?.1.split_whitespace().skip(13);
    Some(fields.next()?.parse::<u64>().ok()? + fields.next()?.parse::<u64>().ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kernels_line_is_read() {
        let stat = "7 (a b) c) S 1 7 7 0 -1 4194560 100 0 0 0 12 30 40 2 20 0 1 0 100 0 0";
        assert_eq!(child_ticks(stat), Some(42));
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
