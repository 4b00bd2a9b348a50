use std::process::Command;

use crate::build::describe_source;
use crate::cli::SourceArgs;
use crate::failure::{During, Failure, exit};
use crate::output::Output;
use crate::project::Project;

/// `flash manifest`: what the app declares.
pub(super) fn manifest(source: &SourceArgs, output: Output) -> Result<u8, Failure> {
    let project = Project::find(source.package.as_deref())?;
    let (_, manifest, warnings) = describe_source(source, &project)?;
    for warning in warnings {
        output.warn(warning);
    }
    let document = serde_json::to_value(&manifest).during("the manifest cannot be written")?;
    output.result(&format!("{document:#}"), &document);
    Ok(0)
}

/// `flash openapi`: the document that the app itself makes, without a server running.
pub(super) fn openapi(source: &SourceArgs, output: Output) -> Result<u8, Failure> {
    let project = Project::find(source.package.as_deref())?;
    let (binary, ..) = describe_source(source, &project)?;
    let done =
        Command::new(&binary).arg("openapi").env_clear().output().during("the app cannot be started")?;
    if !done.status.success() {
        let said = String::from_utf8_lossy(&done.stderr);
        return Err(Failure::of(
            exit::INVALID_APP,
            format!("the app made no OpenAPI document: {}", said.trim()),
        ));
    }
    let document: serde_json::Value =
        serde_json::from_slice(&done.stdout).during("the app's OpenAPI document cannot be read")?;
    output.result(&format!("{document:#}"), &document);
    Ok(0)
}
