//! One step of a gate: a command, how long it took, and what to say when it fails.

use std::fmt::Write as _;
use std::process::Command;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crate::Result;

/// A command with a name for the table.
#[derive(Debug)]
pub(crate) struct Step {
    name: &'static str,
    command: Command,
}

impl Step {
    pub(crate) fn new(name: &'static str, command: Command) -> Self {
        Self { name, command }
    }

    /// The command as somebody would type it, with the variables that the step sets.
    pub(crate) fn line(&self) -> String {
        let mut line = String::new();
        for (name, value) in self.command.get_envs() {
            if let Some(value) = value {
                let _ = write!(line, "{}={} ", name.to_string_lossy(), quoted(&value.to_string_lossy()));
            }
        }
        // Cargo is started by its full path; the name is what a reader wants to type.
        let program = std::path::Path::new(self.command.get_program());
        line.push_str(&program.file_name().unwrap_or(program.as_os_str()).to_string_lossy());
        for word in self.command.get_args() {
            let _ = write!(line, " {}", quoted(&word.to_string_lossy()));
        }
        line
    }
}

fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_=./:,@%+".contains(c);
    if !word.is_empty() && word.chars().all(plain) { word.to_owned() } else { format!("'{word}'") }
}

/// What became of the steps so far.
#[derive(Debug, Default)]
pub(crate) struct Steps {
    rows: Vec<(&'static str, &'static str, Duration)>,
}

impl Steps {
    /// Runs a step with its output on the terminal.
    ///
    /// # Errors
    /// When the command cannot be started or ends unsuccessfully; the message names the command.
    pub(crate) fn run(&mut self, mut step: Step) -> Result<()> {
        let line = step.line();
        println!("==> {}: {line}", step.name);
        let start = Instant::now();
        let status = step.command.status();
        let took = start.elapsed();
        let (state, result) = match status {
            Ok(status) if status.success() => ("ok", Ok(())),
            Ok(status) => {
                ("FAILED", Err(format!("step `{}` failed ({status})\ncommand: {line}", step.name).into()))
            }
            Err(error) => (
                "FAILED",
                Err(format!("step `{}` did not start: {error}\ncommand: {line}", step.name).into()),
            ),
        };
        self.rows.push((step.name, state, took));
        result
    }

    /// Waits for a step that ran beside others and gives a list of what it did. Its seconds in the table are those of
    /// the waiting.
    ///
    /// # Errors
    /// When it failed.
    pub(crate) fn wait(
        &mut self,
        name: &'static str,
        running: JoinHandle<Result<Vec<String>, String>>,
    ) -> Result<()> {
        let start = Instant::now();
        let done = running.join().unwrap_or_else(|_| Err("it panicked".to_owned()));
        let (state, result) = match done {
            Ok(list) if list.is_empty() => {
                println!("==> {name}: nothing was missing");
                ("ok", Ok(()))
            }
            Ok(list) => {
                println!("==> {name}: installed {}", list.join("; "));
                ("ok", Ok(()))
            }
            Err(error) => ("FAILED", Err(format!("step `{name}` failed: {error}").into())),
        };
        self.rows.push((name, state, start.elapsed()));
        result
    }

    /// Records a step that is left out on this machine, and says why.
    pub(crate) fn skip(&mut self, name: &'static str, reason: &str) {
        println!("==> {name}: skipped, {reason}");
        self.rows.push((name, "skipped", Duration::ZERO));
    }

    /// The steps with their seconds, for the end of the run.
    pub(crate) fn table(&self) -> String {
        let mut table = format!("\n{:<12} {:>8}  result\n", "step", "seconds");
        for (name, state, took) in &self.rows {
            let _ = writeln!(table, "{name:<12} {:>8.1}  {state}", took.as_secs_f64());
        }
        let total: Duration = self.rows.iter().map(|row| row.2).sum();
        let _ = writeln!(table, "{:<12} {:>8.1}", "total", total.as_secs_f64());
        table
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str) -> Command {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        command
    }

    #[test]
    fn a_failed_step_names_its_command() {
        let mut steps = Steps::default();
        let mut command = shell("exit 3");
        command.env("FLASH_TEST_SCALE", "1");
        let error = steps.run(Step::new("tests", command)).expect_err("the command fails").to_string();
        assert!(error.contains("FLASH_TEST_SCALE=1 sh -c 'exit 3'"), "{error}");
        assert!(error.contains("exit status: 3"), "{error}");
        assert!(steps.table().contains("FAILED"));
    }

    #[test]
    fn a_step_beside_others_is_waited_for() {
        let mut steps = Steps::default();
        steps.wait("setup", std::thread::spawn(|| Ok(vec!["a".to_owned()]))).expect("it succeeds");
        let error =
            steps.wait("setup", std::thread::spawn(|| Err("no pip".to_owned()))).expect_err("it fails");
        assert!(error.to_string().contains("no pip"), "{error}");
        assert!(steps.table().contains("FAILED"));
    }

    #[test]
    fn the_table_lists_what_was_left_out() {
        let mut steps = Steps::default();
        steps.run(Step::new("fmt", shell("true"))).expect("the command succeeds");
        steps.skip("deny", "cargo-deny is not installed");
        let table = steps.table();
        assert!(table.contains("fmt") && table.contains("skipped"), "{table}");
    }
}
