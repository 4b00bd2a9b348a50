//! The programs that are compiled: written into a temporary folder, each with a target folder of its own.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use super::super::cpu::{self, Used};
use crate::{Result, tool};

/// What a program consists of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// The smallest app.
    Flash,
    /// An empty program with exactly the external crates of the app.
    External,
    /// A library of functions, with `flash` as a user of declarations has it; its source is written by the benchmark.
    Library,
    /// What somebody writes without us: an axum route that calls another service with reqwest over rustls and ring.
    HandWritten,
}

impl Kind {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Flash => "smallest flash app",
            Self::External => "its external crates alone",
            Self::Library => "library of functions",
            Self::HandWritten => "axum + reqwest + ring",
        }
    }
}

/// A temporary folder, removed when this is dropped.
#[derive(Debug)]
pub(crate) struct Folder {
    path: PathBuf,
}

impl Folder {
    pub(crate) fn create() -> Result<Self> {
        let path = std::env::temp_dir().join(format!("flash-bench-compile-{}", std::process::id()));
        fs::create_dir_all(&path)?;
        Ok(Self { path })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // What cannot be removed is left to whoever cleans temporary files.
        let _ = fs::remove_dir_all(&self.path);
    }
}

/// A program on disk.
#[derive(Debug)]
pub(crate) struct Package {
    kind: Kind,
    folder: PathBuf,
    /// How often its source was changed.
    edits: usize,
}

impl Package {
    /// Writes a program with the workspace's lock file and fetches what it needs, so that builds need no network.
    ///
    /// # Errors
    /// When a file cannot be written or a crate not be fetched.
    pub(crate) fn write(kind: Kind, folder: &Path) -> Result<Self> {
        fs::create_dir_all(folder.join("src"))?;
        let dependencies = match kind {
            Kind::Flash => format!("flash = {{ path = {:?} }}\n", tool::root().join("flash")),
            Kind::External => {
                // Beside the program's folder: inside of it cargo would take the copies for members of the program.
                let hollow = folder.with_extension("hollow");
                write_hollow_workspace(&hollow)?;
                format!("flash = {{ path = {:?} }}\n", hollow.join("flash"))
            }
            Kind::Library => format!(
                "flash = {{ path = {:?}, default-features = false }}\nserde = {{ version = \"1\", features = [\"derive\"] }}\n\
                 serde_json = \"1\"\n",
                tool::root().join("flash")
            ),
            Kind::HandWritten => HAND_WRITTEN_DEPENDENCIES.to_owned(),
        };
        let manifest = format!(
            "[package]\nname = \"app\"\nversion = \"0.1.0\"\nedition = \"2024\"\n\n[workspace]\n\n[dependencies]\n{dependencies}"
        );
        fs::write(folder.join("Cargo.toml"), manifest)?;
        fs::copy(tool::root().join("Cargo.lock"), folder.join("Cargo.lock"))?;
        let mut package = Self { kind, folder: folder.to_path_buf(), edits: 0 };
        package.edit()?;
        cpu::measure(package.command().args(["fetch", "--target", &host()?]))?;
        Ok(package)
    }

    /// Where it is.
    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// How often its source was changed; the literal in it.
    pub(crate) fn edits(&self) -> usize {
        self.edits
    }

    pub(crate) fn kind(&self) -> Kind {
        self.kind
    }

    /// Changes a literal in the program.
    pub(crate) fn edit(&mut self) -> Result<()> {
        self.edits += 1;
        let source = match self.kind {
            Kind::Flash => flash_source(self.edits),
            Kind::Library => return self.write_source(""),
            Kind::External => format!("fn main() {{\n    println!(\"{}\");\n}}\n", self.edits),
            Kind::HandWritten => HAND_WRITTEN_SOURCE.replace("LITERAL", &self.edits.to_string()),
        };
        fs::write(self.folder.join("src/main.rs"), source)?;
        Ok(())
    }

    /// Replaces the source of a library.
    pub(crate) fn write_source(&self, source: &str) -> Result<()> {
        Ok(fs::write(self.folder.join("src/lib.rs"), source)?)
    }

    /// Throws away everything that was built.
    pub(crate) fn clean(&self) -> Result<()> {
        let target = self.folder.join("target");
        if target.exists() {
            fs::remove_dir_all(target)?;
        }
        Ok(())
    }

    /// Runs cargo in the program's folder.
    pub(crate) fn cargo(&self, words: &[&str]) -> Result<Used> {
        cpu::measure(self.command().args(words).args(["--offline", "--locked"]))
    }

    fn command(&self) -> Command {
        let mut command = tool::cargo();
        command.current_dir(&self.folder);
        if self.kind == Kind::Library {
            // All functions are compiled anew each time, as in a clean build.
            command.arg("--config").arg("profile.dev.incremental=false");
        }
        // Settings of this terminal would be measured too; and what cargo tells this program of itself, build scripts look at.
        for (name, _) in std::env::vars_os() {
            let name = name.to_string_lossy();
            let of_cargo = name.starts_with("CARGO_") && name != "CARGO_HOME";
            if of_cargo || name.starts_with("RUSTC_") || name.starts_with("RUSTFLAGS") {
                command.env_remove(name.as_ref());
            }
        }
        command
    }
}

fn flash_source(literal: usize) -> String {
    format!(
        "use flash::prelude::*;\n\n\
         static CPU: Endpoint = Endpoint::queue(\"smallest\").cpu(&[\"cpu3c-1-2\"]);\n\n\
         #[remote(resource = CPU)]\n\
         async fn hello(name: String, times: u32) -> Result<String, flash::Error> {{\n    \
         Ok(format!(\"hello {{name}}, {{times}} times {literal}\"))\n}}\n\n\
         fn main() -> std::process::ExitCode {{\n    flash::run()\n}}\n"
    )
}

const HAND_WRITTEN_DEPENDENCIES: &str = r#"axum = "0.8"
reqwest = { version = "0.13", default-features = false, features = ["json", "rustls-no-provider"] }
rustls = { version = "0.23", default-features = false, features = ["ring", "std", "tls12", "logging"] }
serde = { version = "1", features = ["derive"] }
tokio = { version = "1", features = ["macros", "net", "rt-multi-thread"] }
"#;

const HAND_WRITTEN_SOURCE: &str = r#"use axum::{Json, Router, extract::State, http::StatusCode, routing::post};
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize)]
struct Hello {
    name: String,
    times: u32,
}

async fn hello(State(client): State<reqwest::Client>, Json(body): Json<Hello>) -> Result<Json<Hello>, StatusCode> {
    let sent = client.post("https://localhost/hello").json(&body).send().await;
    let answer = sent.map_err(|_| StatusCode::BAD_GATEWAY)?;
    let mut hello: Hello = answer.json().await.map_err(|_| StatusCode::BAD_GATEWAY)?;
    hello.name.push_str("LITERAL");
    Ok(Json(hello))
}

#[tokio::main]
async fn main() {
    rustls::crypto::ring::default_provider().install_default().expect("the first provider");
    let client = reqwest::Client::new();
    let app = Router::new().route("/hello", post(hello)).with_state(client);
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    axum::serve(listener, app).await.expect("serving");
}
"#;

/// Writes a copy of the workspace with the same manifests and nothing in its sources.
///
/// What is compiled of it is exactly the external crates, with the features that the real crates ask for; its own crates are
/// empty and cost some hundredths of a second each.
fn write_hollow_workspace(folder: &Path) -> Result<()> {
    let mut metadata = tool::cargo();
    metadata.args(["metadata", "--offline", "--no-deps", "--format-version", "1"]);
    let output = metadata.output()?;
    if !output.status.success() {
        return Err(format!("`cargo metadata` failed: {}", String::from_utf8_lossy(&output.stderr)).into());
    }
    let metadata: Value = serde_json::from_slice(&output.stdout)?;
    fs::create_dir_all(folder)?;
    fs::copy(tool::root().join("Cargo.toml"), folder.join("Cargo.toml"))?;
    for package in metadata["packages"].as_array().into_iter().flatten() {
        let manifest = copied(&package["manifest_path"], folder)?;
        write(&manifest, &hollow_manifest(&fs::read_to_string(original(&package["manifest_path"])?)?))?;
        for target in package["targets"].as_array().into_iter().flatten() {
            match target["kind"][0].as_str() {
                Some("custom-build") => {}
                Some("lib" | "proc-macro") => write(&copied(&target["src_path"], folder)?, "")?,
                _ => write(&copied(&target["src_path"], folder)?, "fn main() {}\n")?,
            }
        }
    }
    Ok(())
}

/// A manifest without its build script, which would be our own cost.
fn hollow_manifest(manifest: &str) -> String {
    let kept = manifest.lines().filter(|line| !line.starts_with("build = ") && !line.starts_with("links = "));
    kept.flat_map(|line| [line, "\n"]).collect()
}

fn original(path: &Value) -> Result<&Path> {
    Ok(Path::new(path.as_str().ok_or("cargo did not name a path")?))
}

/// The place in the copy of a file of the workspace.
fn copied(path: &Value, folder: &Path) -> Result<PathBuf> {
    Ok(folder.join(original(path)?.strip_prefix(tool::root())?))
}

fn write(path: &Path, text: &str) -> Result<()> {
    if let Some(parent) = path.parent() {
        fs::create_dir_all(parent)?;
    }
    Ok(fs::write(path, text)?)
}

/// The target triple of this machine, as the compiler names it.
fn host() -> Result<String> {
    let output = Command::new("rustc").arg("-vV").output()?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let host = text.lines().find_map(|line| line.strip_prefix("host: "));
    Ok(host.ok_or("rustc does not tell its host")?.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_edit_changes_the_source() {
        assert!(flash_source(7).contains("{name}, {times} times 7"));
        assert_ne!(flash_source(7), flash_source(8));
    }

    #[test]
    fn a_hollow_manifest_has_no_build_script() {
        let manifest = "[package]\nlinks = \"flash\"\nbuild = \"build.rs\"\n[dependencies]\n";
        assert_eq!(hollow_manifest(manifest), "[package]\n[dependencies]\n");
    }
}
