//! The Node packages of the tests: `target/tools/node`, in the versions of a lock file.

use std::fs;
use std::process::Command;

use super::{quietly, tools};
use crate::{Result, tool};

/// Where the list and its lock file are.
const LISTS: &str = "tests/foreign";

/// Installs the packages, unless those of the same lock file are there.
///
/// # Errors
/// When there is no npm, or a package cannot be installed.
pub(super) fn install(say: &mut dyn FnMut(&str)) -> Result<()> {
    let source = tool::root().join(LISTS);
    let folder = tools().join("node");
    let wanted = fs::read_to_string(source.join("package-lock.json"))?;
    // Written last, so an installation that was interrupted is not taken for a whole one.
    let stamp = folder.join("installed.json");
    if fs::read_to_string(&stamp).is_ok_and(|installed| installed == wanted) {
        return Ok(());
    }
    say(&format!("{LISTS}/package.json for {}", folder.display()));
    fs::create_dir_all(&folder)?;
    for name in ["package.json", "package-lock.json"] {
        fs::copy(source.join(name), folder.join(name))?;
    }
    let mut npm = Command::new("npm");
    // No package gets to run anything here.
    npm.args(["ci", "--ignore-scripts", "--no-audit", "--no-fund"]).current_dir(&folder);
    quietly(&mut npm)?;
    fs::write(&stamp, wanted)?;
    Ok(())
}
