//! The programs of the benchmark package, built with the profile that the run asks for.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use serde_json::Value;

use super::Options;
use crate::{Result, tool};

/// Where the built programs are, by name.
#[derive(Debug)]
pub(crate) struct Programs {
    paths: BTreeMap<String, PathBuf>,
    /// The cargo profile that built them.
    pub(crate) profile: &'static str,
}

impl Programs {
    /// Builds all of them: with link-time optimisation as they would be deployed, or quickly.
    ///
    /// # Errors
    /// When cargo fails; it has said why.
    pub(crate) fn build(options: &Options, features: &[&str]) -> Result<Self> {
        Self::with(if options.quick { "fast" } else { "release" }, &["flash-benches"], features)
    }

    /// Builds the programs of other packages of the workspace.
    ///
    /// # Errors
    /// When cargo fails; it has said why.
    pub(crate) fn of_packages(profile: &'static str, packages: &[&str]) -> Result<Self> {
        Self::with(profile, packages, &[])
    }

    fn with(profile: &'static str, packages: &[&str], features: &[&str]) -> Result<Self> {
        let mut cargo = tool::cargo();
        cargo.args(["build", "--bins", "--profile", profile]);
        cargo.args(packages.iter().flat_map(|package| ["--package", package]));
        cargo.args(features.iter().flat_map(|feature| ["--features", feature]));
        cargo.args(["--message-format", "json-render-diagnostics"]).stderr(Stdio::inherit());
        let built = cargo.output()?;
        if !built.status.success() {
            return Err(format!("the benchmark programs do not build ({})", built.status).into());
        }
        Ok(Self { paths: executables(&String::from_utf8_lossy(&built.stdout)), profile })
    }

    /// The program of this name.
    ///
    /// # Errors
    /// When the benchmark package has none.
    pub(crate) fn path(&self, name: &str) -> Result<&Path> {
        let path =
            self.paths.get(name).ok_or_else(|| format!("the benchmark package has no program `{name}`"))?;
        Ok(path)
    }
}

/// The executables that cargo's messages name.
fn executables(messages: &str) -> BTreeMap<String, PathBuf> {
    let mut paths = BTreeMap::new();
    for message in messages.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok()) {
        if let (Some(path), Some(name)) = (message["executable"].as_str(), message["target"]["name"].as_str())
        {
            paths.insert(name.to_owned(), PathBuf::from(path));
        }
    }
    paths
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cargo_says_where_a_program_is() {
        let messages = r#"{"reason":"compiler-artifact","target":{"name":"lib"},"executable":null}
{"reason":"compiler-artifact","target":{"name":"load"},"executable":"target/fast/load"}
{"reason":"build-finished","success":true}"#;
        let paths = executables(messages);
        assert_eq!(paths.len(), 1);
        assert_eq!(paths["load"], Path::new("target/fast/load"));
    }
}
