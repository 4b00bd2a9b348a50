//! Programs that come from Debian.

use std::path::PathBuf;
use std::process::Command;

use super::quietly;
use crate::{Result, tool};

/// A program that the tests run.
struct Program {
    /// Whether it is there.
    is_there: fn() -> bool,
    /// The packages that bring it.
    packages: &'static [&'static str],
    /// The tests that need it.
    used_by: &'static str,
}

/// What the platform benchmark measures against.
const PEERS: &[Program] = &[
    Program {
        is_there: || tool::on_path("redis-server"),
        packages: &["redis-server"],
        used_by: "the platform benchmark",
    },
    Program {
        is_there: || postgres_bin().is_some(),
        packages: &["postgresql"],
        used_by: "the platform benchmark",
    },
];

/// The folder of PostgreSQL's programs. Debian keeps them off the path, one folder for each version.
pub(crate) fn postgres_bin() -> Option<PathBuf> {
    let versions = std::fs::read_dir("/usr/lib/postgresql").ok()?;
    versions
        .filter_map(|version| Some(version.ok()?.path().join("bin")))
        .find(|bin| bin.join("initdb").is_file())
}

/// Installs what the platform benchmark measures against, where it is missing.
///
/// # Errors
/// When this is not root or not Debian, with the command to type.
pub(crate) fn install_peers(say: &mut dyn FnMut(&str)) -> Result<()> {
    install_all(PEERS, say)
}

/// Everything; a test that needs another one adds it here.
const PROGRAMS: &[Program] = &[
    Program {
        // A Python without `ensurepip` makes no virtual environments; Debian splits it off.
        is_there: || tool::answers(Command::new("python3").args(["-c", "import ensurepip, venv"])),
        packages: &["python3", "python3-venv"],
        used_by: "the tests against the Python SDK",
    },
    Program {
        is_there: || tool::on_path("chromium") && tool::on_path("chromedriver"),
        packages: &["chromium", "chromium-driver"],
        used_by: "the tests of web pages",
    },
    Program {
        is_there: || tool::on_path("node") && tool::on_path("npm"),
        packages: &["nodejs", "npm"],
        used_by: "the tests with a generated TypeScript client",
    },
];

/// Installs what is missing.
///
/// # Errors
/// When this is not root or not Debian, with the command to type.
pub(super) fn install(say: &mut dyn FnMut(&str)) -> Result<()> {
    install_all(PROGRAMS, say)
}

fn install_all(programs: &'static [Program], say: &mut dyn FnMut(&str)) -> Result<()> {
    let missing: Vec<&Program> = programs.iter().filter(|program| !(program.is_there)()).collect();
    if missing.is_empty() {
        return Ok(());
    }
    let packages: Vec<&str> = missing.iter().flat_map(|program| program.packages).copied().collect();
    let line = format!("apt-get install --no-install-recommends {}", packages.join(" "));
    let used_by = missing.iter().map(|program| program.used_by).collect::<Vec<_>>().join(", ");
    if !tool::on_path("apt-get") {
        return Err(format!("{used_by} need {packages:?}\nhelp: on Debian it is `{line}`").into());
    }
    if !is_root() {
        return Err(format!("{used_by} need {packages:?}\nhelp: `sudo {line}`").into());
    }
    say(&line);
    let mut words = vec!["install", "--yes", "--no-install-recommends"];
    words.extend(&packages);
    if quietly(apt_get().args(&words)).is_ok() {
        return Ok(());
    }
    // The lists of a fresh machine are empty or old.
    quietly(apt_get().arg("update"))?;
    quietly(apt_get().args(&words)).map_err(|error| format!("{error}\nhelp: `{line}`").into())
}

fn apt_get() -> Command {
    let mut command = Command::new("apt-get");
    command.env("DEBIAN_FRONTEND", "noninteractive");
    command
}

/// Whether this is root.
pub(crate) fn is_root() -> bool {
    Command::new("id").arg("-u").output().is_ok_and(|output| output.stdout.starts_with(b"0"))
}
