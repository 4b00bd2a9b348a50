//! The whole gate: format, clippy, tests, documentation tests, documentation, licences.

use std::process::Command;

use crate::Result;
use crate::step::{Step, Steps};
use crate::{setup, tool};

/// Says how many cases the counted tests (seeded schedules, fault storms, property tests) run, in percent of the full count.
const TEST_SCALE: &str = "FLASH_TEST_SCALE";

/// Runs the gate and stops at the first step that fails.
///
/// Each test runs once in either form; `deep` raises the number of cases to the full count and adds the feature matrix.
///
/// # Errors
/// When a step fails, with the command that failed.
pub(crate) fn run(deep: bool) -> Result<()> {
    explain_what_is_missing()?;
    let mut steps = Steps::default();
    let result = all(&mut steps, deep);
    print!("{}", steps.table());
    result
}

/// Says how to get what a step needs and this machine lacks, before minutes are spent on other steps.
fn explain_what_is_missing() -> Result<()> {
    if tool::c_compiler().is_none() {
        return Err("no C compiler found: the TLS library `ring` compiles C and assembly\n\
                    help: install one (Debian: `apt-get install --no-install-recommends gcc libc6-dev`), or set CC"
            .into());
    }
    for component in ["fmt", "clippy"] {
        if !tool::has_cargo_command(component) {
            let name = if component == "fmt" { "rustfmt" } else { component };
            return Err(
                format!("`cargo {component}` cannot be run\nhelp: `rustup component add {name}`").into()
            );
        }
    }
    Ok(())
}

fn all(steps: &mut Steps, deep: bool) -> Result<()> {
    steps.run(Step::new("fmt", cargo(&["fmt", "--all", "--check"])))?;
    // Installing waits for the network and clippy for the processor, so they run at the same time.
    let setup = std::thread::spawn(|| {
        let mut installed = Vec::new();
        setup::run(&mut |what| installed.push(what.to_owned()))
            .map(|()| installed)
            .map_err(|error| error.to_string())
    });
    // Clippy's own results can't be shared with a build, but every dependency it checks is reused by the documentation.
    steps.run(Step::new(
        "clippy",
        cargo(&["clippy", "--locked", "--workspace", "--all-targets", "--", "-D", "warnings"]),
    ))?;
    steps.wait("setup", setup)?;
    steps.run(Step::new("tests", tests(deep)))?;
    // nextest does not run these, and the libraries are the ones that the tests just built.
    steps.run(Step::new("doctests", scaled(cargo(&["test", "--locked", "--workspace", "--doc"]), deep)))?;
    let mut docs = cargo(&["doc", "--locked", "--workspace", "--no-deps"]);
    docs.env("RUSTDOCFLAGS", "-D warnings");
    steps.run(Step::new("docs", docs))?;
    if deep {
        features(steps)?;
    }
    if tool::has_cargo_command("deny") {
        // A build fetches only what this machine's target needs; the check reads the manifests of all.
        steps.run(Step::new("fetch", cargo(&["fetch", "--locked"])))?;
        let deny = cargo(&["deny", "--offline", "check", "licenses", "bans", "sources"]);
        steps.run(Step::new("deny", deny))?;
    } else {
        steps.skip("deny", "cargo-deny is not installed (licences, bans and sources are not checked here)");
    }
    Ok(())
}

/// The test run: cargo-nextest where it is installed, else cargo's own runner over the same tests.
fn tests(deep: bool) -> Command {
    // Every failing test of one run is worth seeing, so neither runner stops at the first.
    let command = if tool::has_cargo_command("nextest") {
        let profile = if deep { "deep" } else { "default" };
        cargo(&[
            "nextest",
            "run",
            "--profile",
            profile,
            "--locked",
            "--workspace",
            "--no-fail-fast",
            "--no-tests",
            "pass",
        ])
    } else {
        cargo(&["test", "--locked", "--workspace", "--lib", "--bins", "--tests", "--no-fail-fast"])
    };
    scaled(command, deep)
}

/// The library has to compile with each set of features that its documentation offers.
fn features(steps: &mut Steps) -> Result<()> {
    for set in ["", "client,tls-ring", "client,tls-aws-lc", "serve", "serve,otlp"] {
        let mut check = cargo(&["check", "--locked", "--package", "flash", "--no-default-features"]);
        if !set.is_empty() {
            check.args(["--features", set]);
        }
        steps.run(Step::new("features", check))?;
    }
    Ok(())
}

fn scaled(mut command: Command, deep: bool) -> Command {
    if deep {
        command.env(TEST_SCALE, "100");
    } else if std::env::var_os(TEST_SCALE).is_none() {
        command.env(TEST_SCALE, "1");
    }
    command
}

fn cargo(words: &[&str]) -> Command {
    let mut command = tool::cargo();
    command.args(words);
    command
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scale_of(command: &Command) -> Option<String> {
        let (_, value) = command.get_envs().find(|(name, _)| *name == TEST_SCALE)?;
        Some(value?.to_string_lossy().into_owned())
    }

    #[test]
    fn a_deep_run_asks_for_the_full_count() {
        assert_eq!(scale_of(&scaled(cargo(&["test"]), true)).as_deref(), Some("100"));
    }
}
