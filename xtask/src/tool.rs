//! Which programs this machine has.

use std::env;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// The workspace's root folder.
pub(crate) fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().unwrap_or(here).to_path_buf()
}

/// A command that runs the cargo which started this program, in the workspace's root.
pub(crate) fn cargo() -> Command {
    let mut command = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(root());
    command
}

/// Whether `cargo NAME` can be run.
pub(crate) fn has_cargo_command(name: &str) -> bool {
    answers(cargo().args([name, "--version"]))
}

/// Whether a program of this name is on the search path.
pub(crate) fn on_path(program: &str) -> bool {
    env::var_os("PATH")
        .is_some_and(|path| env::split_paths(&path).any(|folder| folder.join(program).is_file()))
}

/// The C compiler that build scripts will use, if there is one: `CC` when it is set, else `cc`.
pub(crate) fn c_compiler() -> Option<String> {
    let name = env::var("CC").ok().filter(|name| !name.is_empty()).unwrap_or_else(|| "cc".to_owned());
    let program = name.split_whitespace().next()?.to_owned();
    (on_path(&program) || Path::new(&program).is_file()).then_some(program)
}

/// Whether a command can be run and succeeds.
pub(crate) fn answers(command: &mut Command) -> bool {
    command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_root_holds_the_workspace() {
        assert!(root().join("Cargo.lock").is_file());
    }

    #[test]
    fn a_program_that_nobody_has_is_not_found() {
        assert!(on_path("sh"));
        assert!(!on_path("flash-no-such-program"));
        assert!(!has_cargo_command("flash-no-such-command"));
    }
}
