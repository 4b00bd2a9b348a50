use std::process::Command;

use flash_platform::control::Platform;

use super::context::Context;
use crate::cli::{TargetArgs, Where};
use crate::connect::connect;
use crate::failure::{Failure, exit};
use crate::output::{Output, table};
use crate::project::{Project, cargo};
use crate::report::{Finding, Findings};

impl Finding {
    fn fine(what: &str, text: impl Into<String>) -> Self {
        Self { what: what.to_owned(), ok: true, text: text.into(), next: String::new() }
    }

    fn bad(what: &str, text: impl Into<String>, next: impl Into<String>) -> Self {
        Self { what: what.to_owned(), ok: false, text: text.into(), next: next.into() }
    }
}

/// `flash doctor`: looks at everything that a deployment needs; every problem ends with a command.
pub(super) async fn run(target: &TargetArgs, to: Option<Where>, output: Output) -> Result<u8, Failure> {
    let mut findings = vec![toolchain()];
    match Project::find(None) {
        Ok(project) => {
            findings
                .push(Finding::fine("project", format!("{} in {}", project.package, project.dir.display())));
            findings.push(openssl(&project));
        }
        Err(failure) => findings.push(Finding::bad("project", first_line(&failure), "flash init my-app")),
    }
    match connect(to) {
        Err(failure) => findings.push(Finding::bad("key", first_line(&failure), "flash platform start")),
        Ok(connection) => {
            let source = connection
                .key
                .as_ref()
                .map_or_else(|| "no key".to_owned(), |key| format!("key from {}", key.source));
            findings.push(Finding::fine("platform", format!("{}, {source}", connection.name)));
            match connection.platform.apps().await {
                Ok(apps) => findings.push(Finding::fine("state manager", format!("{} apps", apps.len()))),
                Err(error) => {
                    findings.push(Finding::bad("state manager", error.to_string(), "flash doctor --verbose"));
                }
            }
            deployment(target, to, &mut findings).await;
        }
    }
    let healthy = findings.iter().all(|finding| finding.ok);
    let rows: Vec<Vec<String>> = findings
        .iter()
        .map(|finding| {
            let sign = if finding.ok { "ok" } else { "PROBLEM" };
            vec![
                sign.to_owned(),
                finding.what.clone(),
                finding.text.lines().next().unwrap_or_default().to_owned(),
                finding.next.clone(),
            ]
        })
        .collect();
    output.result(&table(&["", "WHAT", "FOUND", "NEXT"], &rows), &Findings { healthy, findings });
    Ok(if healthy { exit::OK } else { exit::FAILED })
}

fn first_line(failure: &Failure) -> String {
    failure.text.lines().next().unwrap_or_default().to_owned()
}

fn toolchain() -> Finding {
    let version = Command::new("rustc").arg("--version").output();
    match version {
        Ok(output) if output.status.success() => {
            Finding::fine("toolchain", String::from_utf8_lossy(&output.stdout).trim().to_owned())
        }
        _ => Finding::bad("toolchain", "rustc cannot be started", "curl https://sh.rustup.rs | sh"),
    }
}

/// OpenSSL in the tree ties the binary to a library of the build machine's distribution.
fn openssl(project: &Project) -> Finding {
    let tree = Command::new(cargo())
        .args([
            "tree",
            "--offline",
            "--invert",
            "openssl-sys",
            "--prefix",
            "none",
            "--package",
            &project.package,
        ])
        .current_dir(&project.dir)
        .output();
    let found = tree
        .ok()
        .filter(|output| output.status.success())
        .map(|output| String::from_utf8_lossy(&output.stdout).into_owned());
    match found.filter(|text| text.contains("openssl-sys")) {
        Some(text) => {
            let path: Vec<&str> =
                text.lines().filter_map(|line| line.split_whitespace().next()).take(6).collect();
            Finding::bad(
                "openssl",
                format!("in the tree: {}", path.join(" <- ")),
                "cargo tree --invert openssl-sys",
            )
        }
        None => Finding::fine("openssl", "not in the tree"),
    }
}

/// What runs, against what the active build says.
async fn deployment(target: &TargetArgs, to: Option<Where>, findings: &mut Vec<Finding>) {
    let Ok(context) = Context::open(target, to).await else { return };
    let (manifest, live) = match (context.active_manifest().await, context.endpoints().await) {
        (Ok(manifest), Ok(live)) => (manifest, live),
        (Err(failure), _) | (_, Err(failure)) => {
            findings.push(Finding::bad("deployment", first_line(&failure), "flash doctor --verbose"));
            return;
        }
    };
    let Some(manifest) = manifest else {
        findings.push(Finding::fine("deployment", format!("nothing in environment {}", context.id.env)));
        return;
    };
    let sha256 = crate::deploy::artifact_of(&manifest);
    for (name, entry) in &manifest.resources {
        let endpoint = live.iter().find(|endpoint| entry.endpoint_id.as_deref() == Some(&endpoint.id));
        let Some(endpoint) = endpoint else {
            findings.push(Finding::bad(
                "endpoint",
                format!("{name} does not exist"),
                format!("flash deploy --env {}", context.id.env),
            ));
            continue;
        };
        let runs = endpoint.env.get("FLASH_ARTIFACT_SHA256");
        if runs != sha256.as_ref() {
            let text = format!("{name} was provisioned for another artifact than the active build has");
            findings.push(Finding::bad("endpoint", text, format!("flash deploy --env {}", context.id.env)));
            continue;
        }
        let workers = context.platform.workers(&endpoint.id).await.unwrap_or_default();
        match workers.iter().filter(|worker| worker.status == "UNHEALTHY").count() {
            0 => findings.push(Finding::fine("endpoint", format!("{name}: {} workers", workers.len()))),
            sick => findings.push(Finding::bad(
                "endpoint",
                format!("{name}: {sick} workers are unhealthy"),
                format!("flash logs {name}"),
            )),
        }
    }
}
