//! The Python environment that `cargo xtask setup` makes.

use std::path::{Path, PathBuf};
use std::process::Command;

use flash_local::EndpointSpec;

/// The interpreter that has the SDK.
pub(crate) fn interpreter() -> PathBuf {
    let python = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/tools/python/bin/python");
    assert!(python.is_file(), "{} is missing\nhelp: run cargo xtask setup", python.display());
    python
}

fn script(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("interop/python").join(name)
}

/// A program of the SDK. Its checks of memory and network are off: they dial a public address.
const SETTINGS: [(&str, &str); 3] = [
    ("RUNPOD_SKIP_AUTO_SYSTEM_CHECKS", "true"),
    ("RUNPOD_SKIP_GPU_CHECK", "true"),
    // A configuration file at home could hold another key.
    ("HOME", "/nonexistent"),
];

/// The worker of the SDK as the worker of an endpoint.
pub(crate) fn worker(endpoint: &str) -> EndpointSpec {
    let spec = EndpointSpec::queue(endpoint, interpreter()).args([script("worker.py")]);
    SETTINGS.iter().fold(spec, |spec, (name, value)| spec.env(name, value))
}

/// A script as a command of its own, with no more of this environment than it needs.
pub(crate) fn command(name: &str) -> Command {
    let mut command = Command::new(interpreter());
    command.arg(script(name)).env_clear().envs(SETTINGS).env("PYTHONUNBUFFERED", "1");
    command
}
