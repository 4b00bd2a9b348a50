use std::path::{Path, PathBuf};
use std::process::Command;

use serde::Deserialize;
use serde_json::Value;

use super::settings::Settings;
use crate::failure::{During, Failure};

/// A package that `flash` builds and deploys.
#[derive(Debug, Clone)]
pub(crate) struct Project {
    pub(crate) package: String,
    /// Directory of the package.
    pub(crate) dir: PathBuf,
    /// Its `Cargo.toml`.
    pub(crate) manifest_path: PathBuf,
    pub(crate) workspace_root: PathBuf,
    /// Names of its binaries.
    pub(crate) bins: Vec<String>,
    pub(crate) default_run: Option<String>,
    pub(crate) settings: Settings,
}

#[derive(Deserialize)]
struct Metadata {
    packages: Vec<Package>,
    workspace_root: PathBuf,
}

#[derive(Deserialize)]
struct Package {
    name: String,
    manifest_path: PathBuf,
    targets: Vec<Target>,
    #[serde(default)]
    default_run: Option<String>,
    #[serde(default)]
    metadata: Value,
}

#[derive(Deserialize)]
struct Target {
    name: String,
    kind: Vec<String>,
}

impl Project {
    /// The package of the current directory, or the named one of its workspace.
    pub(crate) fn find(package: Option<&str>) -> Result<Self, Failure> {
        let dir = std::env::current_dir().during("the current directory cannot be read")?;
        Self::find_in(&dir, package)
    }

    pub(crate) fn find_in(dir: &Path, package: Option<&str>) -> Result<Self, Failure> {
        let output = Command::new(cargo())
            .args(["metadata", "--no-deps", "--format-version", "1"])
            .current_dir(dir)
            .output()
            .during("cargo cannot be started")
            .map_err(|failure| failure.help("install Rust, so that `cargo` is in PATH"))?;
        if !output.status.success() {
            let reason = String::from_utf8_lossy(&output.stderr);
            return Err(Failure::new(format!("there is no package here: {}", reason.trim()))
                .help("go to the directory of the app, or make one with `flash init my-app`"));
        }
        let metadata: Metadata =
            serde_json::from_slice(&output.stdout).during("the answer of `cargo metadata` cannot be read")?;
        let names =
            || metadata.packages.iter().map(|package| package.name.as_str()).collect::<Vec<_>>().join(", ");
        let chosen = match package {
            Some(name) => metadata.packages.iter().find(|package| package.name == name).ok_or_else(|| {
                Failure::new(format!("the workspace has no package `{name}`; it has {}", names()))
            })?,
            None => here(dir, &metadata.packages).ok_or_else(|| {
                Failure::new(format!("this workspace has several packages: {}", names()))
                    .help("go to the directory of one, or name it with --package")
            })?,
        };
        let package_dir = chosen.manifest_path.parent().unwrap_or(dir).to_owned();
        let bins = chosen.targets.iter().filter(|target| target.kind.iter().any(|kind| kind == "bin"));
        Ok(Self {
            package: chosen.name.clone(),
            settings: Settings::from_metadata(&chosen.metadata)?,
            manifest_path: chosen.manifest_path.clone(),
            workspace_root: metadata.workspace_root.clone(),
            bins: bins.map(|target| target.name.clone()).collect(),
            default_run: chosen.default_run.clone(),
            dir: package_dir,
        })
    }

    /// Where `flash` keeps what it makes and remembers.
    pub(crate) fn flash_dir(&self) -> PathBuf {
        self.dir.join(".flash")
    }

    /// The name of the app on the platform.
    pub(crate) fn app(&self) -> &str {
        self.settings.app.as_deref().unwrap_or(&self.package)
    }

    /// The binary to build.
    pub(crate) fn bin(&self, asked: Option<&str>) -> Result<String, Failure> {
        let help = "name it with --bin, or set `default-run` in Cargo.toml";
        match (asked, self.bins.as_slice()) {
            (Some(name), bins) if bins.iter().any(|bin| bin == name) => Ok(name.to_owned()),
            (Some(name), bins) => Err(Failure::new(format!(
                "package `{}` has no binary `{name}`; it has {}",
                self.package,
                bins.join(", ")
            ))),
            (None, []) => Err(Failure::new(format!(
                "package `{}` is a library without a binary\nhelp: add src/main.rs with `use {} as _; fn main() -> std::process::ExitCode {{ flash::run() }}`",
                self.package,
                self.package.replace('-', "_")
            ))),
            (None, [only]) => Ok(only.clone()),
            (None, bins) => match &self.default_run {
                Some(name) => Ok(name.clone()),
                None if bins.contains(&self.package) => Ok(self.package.clone()),
                None => Err(Failure::new(format!(
                    "package `{}` has several binaries: {}",
                    self.package,
                    bins.join(", ")
                ))
                .help(help)),
            },
        }
    }
}

/// The package whose directory is the closest above `dir`, or the only one.
fn here<'a>(dir: &Path, packages: &'a [Package]) -> Option<&'a Package> {
    let dir = dir.canonicalize().ok()?;
    let above = packages.iter().filter(|package| {
        package
            .manifest_path
            .parent()
            .and_then(|of| of.canonicalize().ok())
            .is_some_and(|of| dir.starts_with(of))
    });
    let closest = above.max_by_key(|package| package.manifest_path.components().count());
    match packages {
        [only] => Some(only),
        _ => closest,
    }
}

/// The cargo of the toolchain in use.
pub(crate) fn cargo() -> std::ffi::OsString {
    std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into())
}
