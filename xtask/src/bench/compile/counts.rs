//! How many crates of others each feature set pulls in.

use std::collections::BTreeSet;

use super::super::report::Report;
use crate::{Result, tool};

/// What a user can ask for, as the features of `flash`.
const SETS: &[(&str, &[&str])] = &[
    ("declarations", &[]),
    ("client", &["client", "tls-ring"]),
    ("serve", &["serve"]),
    ("full", &["serve", "client", "tls-ring"]),
];

/// Adds the counts to a report.
///
/// # Errors
/// When cargo cannot tell.
pub(crate) fn add(report: &mut Report) -> Result<()> {
    for (name, features) in SETS {
        let count = external(features)?;
        report.note(format!("crates of others, {name}: {count}"));
        report.ratio_by_name("crates", name, count as f64);
    }
    Ok(())
}

fn external(features: &[&str]) -> Result<usize> {
    let mut tree = tool::cargo();
    tree.args(["tree", "--offline", "--locked", "--package", "flash", "--no-default-features"]);
    tree.args(["--features", &features.join(",")]);
    tree.args(["--edges", "normal,build", "--prefix", "none", "--no-dedupe"]);
    let output = tree.output()?;
    if !output.status.success() {
        return Err(format!("`cargo tree` failed: {}", String::from_utf8_lossy(&output.stderr)).into());
    }
    Ok(external_packages(&String::from_utf8_lossy(&output.stdout)).len())
}

/// The packages of a listing that do not come from a folder.
fn external_packages(tree: &str) -> BTreeSet<&str> {
    let packages = tree.lines().map(str::trim).filter(|line| !line.is_empty());
    packages.filter(|line| !line.contains("(/")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packages_of_others_are_counted_once() {
        let tree = "flash v0.1.0 (/somewhere/flash)\nserde v1.0.0\nserde_derive v1.0.0 (proc-macro)\nserde v1.0.0\n\n";
        assert_eq!(external_packages(tree).len(), 2);
    }
}
