use std::io::BufRead;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde::Deserialize;

use crate::failure::{During, Failure, exit};
use crate::project::{Project, cargo};

/// The profile of `flash build`: `release`, in a folder of its own, because the flags below would otherwise make every
/// `cargo build --release` start from nothing.
const PROFILE: &str = "flash";

/// How a package is compiled.
#[derive(Debug, Clone, Default)]
pub(crate) struct Compile {
    pub(crate) bin: String,
    /// Target triple, with a glibc version for cargo-zigbuild.
    pub(crate) target: Option<String>,
    /// A profile of the user; the flags are theirs then too.
    pub(crate) profile: Option<String>,
}

#[derive(Deserialize)]
struct Message {
    reason: String,
    #[serde(default)]
    executable: Option<PathBuf>,
    #[serde(default)]
    target: Target,
}

#[derive(Default, Deserialize)]
struct Target {
    name: String,
}

/// Compiles a binary and gives its path. What the compiler says goes to standard error as it comes.
pub(crate) fn compile(project: &Project, how: &Compile) -> Result<PathBuf, Failure> {
    refuse_abort(&project.workspace_root, how.profile.as_deref())?;
    let zig = how.target.as_deref().is_some_and(|target| target.contains('.'));
    if zig && !has_zigbuild() {
        return Err(Failure::new(format!(
            "building for glibc `{}` needs cargo-zigbuild, which is not installed",
            how.target.as_deref().unwrap_or_default()
        ))
        .help("install it with `cargo install cargo-zigbuild` and zig with your package manager, or leave --target out to build for the glibc of this machine"));
    }
    let mut command = Command::new(cargo());
    command.arg(if zig { "zigbuild" } else { "build" });
    command
        .args(["--message-format", "json-render-diagnostics", "--manifest-path"])
        .arg(&project.manifest_path);
    command.args(["--package", &project.package, "--bin", &how.bin]);
    if let Some(target) = &how.target {
        command.args(["--target", target]);
    }
    match how.profile.as_deref() {
        Some(profile) => {
            command.args(["--profile", profile]);
        }
        None => {
            command.args([
                "--profile",
                PROFILE,
                "--config",
                &format!("profile.{PROFILE}.inherits='release'"),
            ]);
            command.env("CARGO_ENCODED_RUSTFLAGS", reproducible_flags(&project.workspace_root));
        }
    }
    let mut child =
        command.current_dir(&project.dir).stdout(Stdio::piped()).spawn().during("cargo cannot be started")?;
    let mut executable = None;
    if let Some(stdout) = child.stdout.take() {
        for line in std::io::BufReader::new(stdout).lines() {
            let line = line.during("what cargo says cannot be read")?;
            let Ok(message) = serde_json::from_str::<Message>(&line) else { continue };
            if message.reason == "compiler-artifact"
                && message.target.name == how.bin
                && message.executable.is_some()
            {
                executable = message.executable;
            }
        }
    }
    let status = child.wait().during("cargo cannot be waited for")?;
    if !status.success() {
        return Err(Failure::of(
            exit::INVALID_APP,
            format!("package `{}` does not compile", project.package),
        )
        .help("correct what the compiler says above, and run the command again"));
    }
    executable.ok_or_else(|| Failure::new(format!("cargo built no binary `{}`", how.bin)))
}

/// Flags that remove this machine's paths, so that the same sources make the same bytes elsewhere. Flags of the environment
/// stay in front.
fn reproducible_flags(workspace: &Path) -> String {
    let mut flags: Vec<String> = match (std::env::var("CARGO_ENCODED_RUSTFLAGS"), std::env::var("RUSTFLAGS"))
    {
        (Ok(encoded), _) => encoded.split('\x1f').map(ToOwned::to_owned).collect(),
        (_, Ok(plain)) => plain.split_whitespace().map(ToOwned::to_owned).collect(),
        _ => Vec::new(),
    };
    flags.retain(|flag| !flag.is_empty());
    let mut remap =
        |from: &Path, to: &str| flags.push(format!("--remap-path-prefix={}={to}", from.display()));
    let home = std::env::var_os("CARGO_HOME").map(PathBuf::from);
    if let Some(home) = home.or_else(|| Some(PathBuf::from(std::env::var_os("HOME")?).join(".cargo"))) {
        remap(&home, "/cargo");
    }
    // The longer path last: of two that fit, the later one counts.
    remap(workspace, "/src");
    flags.join("\x1f")
}

fn has_zigbuild() -> bool {
    let found = Command::new(cargo())
        .args(["zigbuild", "--version"])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    found.is_ok_and(|status| status.success())
}

/// With `panic = "abort"` one panicking job ends the worker and every job beside it.
fn refuse_abort(workspace: &Path, profile: Option<&str>) -> Result<(), Failure> {
    let manifest = std::fs::read_to_string(workspace.join("Cargo.toml")).unwrap_or_default();
    let manifest: toml::Table = manifest.parse().unwrap_or_default();
    let panic_of = |profile: &str| -> Option<String> {
        let variable = format!("CARGO_PROFILE_{}_PANIC", profile.to_uppercase().replace('-', "_"));
        let from_file = || Some(manifest.get("profile")?.get(profile)?.get("panic")?.as_str()?.to_owned());
        std::env::var(variable).ok().or_else(from_file)
    };
    let inherited = |profile: &str| {
        let inherits = manifest.get("profile").and_then(|all| all.get(profile)?.get("inherits")?.as_str());
        inherits.unwrap_or("release").to_owned()
    };
    let profile = profile.unwrap_or("release");
    if panic_of(profile).or_else(|| panic_of(&inherited(profile))).as_deref() == Some("abort") {
        return Err(Failure::of(
            exit::INVALID_APP,
            format!("profile `{profile}` has `panic = \"abort\"`: one panicking job would end the worker and all jobs beside it"),
        )
        .help("set `panic = \"unwind\"` in Cargo.toml"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_profile_that_aborts_is_refused_also_through_what_it_inherits() {
        let dir = tempfile::tempdir().unwrap();
        let write = |text: &str| std::fs::write(dir.path().join("Cargo.toml"), text).unwrap();
        write(
            "[profile.release]\npanic = \"abort\"\n[profile.fast]\ninherits = \"release\"\n[profile.calm]\npanic = \"unwind\"\n",
        );
        for profile in [None, Some("release"), Some("fast")] {
            let failure = refuse_abort(dir.path(), profile).unwrap_err();
            assert_eq!(failure.code, exit::INVALID_APP);
            assert!(failure.text.contains("panic"), "{failure}");
        }
        refuse_abort(dir.path(), Some("calm")).unwrap();
        write("[profile.release]\nlto = true\n");
        refuse_abort(dir.path(), None).unwrap();
    }
}
