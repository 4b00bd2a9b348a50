//! What a worker image starts: waits for the artifact of its endpoint, unpacks it, and becomes the app.

use std::os::unix::process::CommandExt;
use std::process::{Command, ExitCode};

use flash_bootstrap::{
    Bootstrap, BootstrapError, Download, HttpDownload, Limits, Ready, Settings, missing_packages,
};

fn main() -> ExitCode {
    match start() {
        Ok(never) => match never {},
        Err(error) => {
            log(&format!("error: {error}"));
            ExitCode::from(error.exit_code())
        }
    }
}

/// Returns only when the app did not start.
fn start() -> Result<std::convert::Infallible, BootstrapError> {
    let download = HttpDownload::default();
    let mut bootstrap = Bootstrap::new(Settings::from_env()?)
        .with_fetch(move |url, file| download.download(url, file, Limits::default().packed_bytes))
        .with_log(log);
    let Ready { binary, dir, .. } = bootstrap.prepare()?;
    name_missing_packages(&dir);
    let source = Command::new(&binary).args(std::env::args_os().skip(1)).current_dir(&dir).exec();
    Err(BootstrapError::Exec { path: binary, source })
}

/// An app that misses a library of the system fails somewhere deep inside; the reason is better told here.
fn name_missing_packages(dir: &std::path::Path) {
    let declared = || -> Option<Vec<String>> {
        let manifest = std::fs::read(dir.join(flash_bootstrap::MANIFEST_NAME)).ok()?;
        let manifest: serde_json::Value = serde_json::from_slice(&manifest).ok()?;
        let resource = std::env::var("FLASH_RESOURCE_NAME").ok()?;
        let packages = manifest.get("resources")?.get(resource)?.get("system_dependencies")?.as_array()?;
        Some(packages.iter().filter_map(|name| Some(name.as_str()?.to_owned())).collect())
    };
    let Some(declared) = declared().filter(|names| !names.is_empty()) else { return };
    let Ok(status) = std::fs::read_to_string("/var/lib/dpkg/status") else {
        return log(
            "warning: this image has no Debian packages, so the declared system packages cannot be checked",
        );
    };
    let names: Vec<&str> = declared.iter().map(String::as_str).collect();
    for name in missing_packages(&names, &status) {
        log(&format!(
            "warning: system package `{name}` is declared and not installed\nhelp: use an image that has it (`.image(…)`)"
        ));
    }
}

#[allow(clippy::print_stderr, reason = "the log of a process that becomes another one")]
fn log(line: &str) {
    eprintln!("flash-worker: {line}");
}
