//! `cargo xtask setup`: what the tests need beside Rust, installed once under `target/tools` or by the system's own
//! package manager. When everything is there it only looks.

pub(crate) mod debian;
mod node;
mod python;

use std::path::PathBuf;
use std::process::{Command, Stdio};

use crate::{Result, tool};

/// Installs what is missing. `say` hears of each thing that is installed.
///
/// # Errors
/// When something cannot be installed, with the command that would do it.
pub(crate) fn run(say: &mut dyn FnMut(&str)) -> Result<()> {
    debian::install(say)?;
    python::install(say)?;
    node::install(say)
}

/// Where tools are kept that belong to this checkout and not to the machine.
fn tools() -> PathBuf {
    tool::root().join("target/tools")
}

/// Runs a command without its output on the terminal, as setup also runs beside other steps.
///
/// # Errors
/// When it fails: the command as somebody would type it, and the end of what it said.
fn quietly(command: &mut Command) -> Result<()> {
    let line = std::iter::once(command.get_program())
        .chain(command.get_args())
        .map(|word| word.to_string_lossy().into_owned())
        .collect::<Vec<_>>()
        .join(" ");
    let output =
        command.stdin(Stdio::null()).output().map_err(|error| format!("`{line}` did not start: {error}"))?;
    if output.status.success() {
        return Ok(());
    }
    let said = [output.stdout, output.stderr].concat();
    let said = String::from_utf8_lossy(&said);
    let lines: Vec<&str> = said.lines().collect();
    let last = lines[lines.len().saturating_sub(15)..].join("\n");
    Err(format!("`{line}` failed ({})\n{last}", output.status).into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_shows_the_command_and_its_last_words() {
        let mut command = Command::new("sh");
        command.args(["-c", "echo all is lost >&2; exit 3"]);
        let error = quietly(&mut command).expect_err("it fails").to_string();
        assert!(error.contains("sh -c") && error.contains("all is lost"), "{error}");
        assert!(quietly(&mut Command::new("flash-no-such-program")).is_err());
    }
}
