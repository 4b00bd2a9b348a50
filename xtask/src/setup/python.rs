//! The virtual environment of the tests: `target/tools/python`, from exact versions.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use super::{quietly, tools};
use crate::{Result, tool};

/// The files that list what is installed. A test that needs more adds a line, or a file.
const REQUIREMENTS: &[&str] = &["tests/interop/requirements.txt", "tests/foreign/requirements.txt"];

/// Makes the environment, unless one of the same requirements is there.
///
/// # Errors
/// When there is no Python, or a package cannot be installed.
pub(super) fn install(say: &mut dyn FnMut(&str)) -> Result<()> {
    let files: Vec<PathBuf> = REQUIREMENTS.iter().map(|file| tool::root().join(file)).collect();
    let mut wanted = String::new();
    for file in &files {
        wanted.push_str(&fs::read_to_string(file)?);
    }
    let folder = tools().join("python");
    let python = folder.join("bin/python");
    // Written last, so an installation that was interrupted is not taken for a whole one.
    let stamp = folder.join("requirements.txt");
    let is_current = fs::read_to_string(&stamp).is_ok_and(|installed| installed == wanted);
    if is_current && tool::answers(Command::new(&python).arg("--version")) {
        return Ok(());
    }
    say(&format!("{} for {}", REQUIREMENTS.join(", "), folder.display()));
    quietly(Command::new("python3").args(["-m", "venv", "--clear"]).arg(&folder))?;
    let mut pip = Command::new(&python);
    // Not compiled ahead: most of it is never imported.
    pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-compile"]);
    for file in &files {
        pip.arg("--requirement").arg(file);
    }
    quietly(&mut pip)?;
    fs::write(&stamp, wanted)?;
    Ok(())
}
