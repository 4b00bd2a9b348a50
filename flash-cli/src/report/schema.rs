//! The schemas of all documents, by command. They are compared with the committed files, and so are only made for tests.

use schemars::JsonSchema;
use schemars::generate::SchemaSettings;
use serde_json::{Value, json};

use super::{
    AppDeleted, AppList, Collected, Completions, Deployed, EnvironmentDeleted, EnvironmentInfo,
    EnvironmentList, EnvironmentMade, Exported, Failed, Findings, ImageList, ImageMade, Initialised, LogLine,
    LoggedIn, ManPages, Numbers, Packed, PlatformState, Repaired, Served, Undeployed, Workers,
};

/// `build --preview` is `build-preview`.
fn file_name(command: &str) -> String {
    command.split([' ', '-']).filter(|word| !word.is_empty()).collect::<Vec<_>>().join("-")
}

fn of<T: JsonSchema>(command: &str) -> (String, Value) {
    let generator = SchemaSettings::draft2020_12().for_serialize().into_generator();
    let mut schema = generator.into_root_schema_for::<T>().to_value();
    schema["title"] = json!(match command {
        "error" => "A command that failed".to_owned(),
        command => format!("flash {command}"),
    });
    (file_name(command), schema)
}

/// What is an app's own: nothing is promised about it here.
fn any(command: &str, description: &str) -> (String, Value) {
    let schema = json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": format!("flash {command}"),
        "description": description,
    });
    (file_name(command), schema)
}

/// Name of the file, and schema.
pub(crate) fn published() -> Vec<(String, Value)> {
    vec![
        of::<Failed>("error"),
        of::<Initialised>("init"),
        of::<Packed>("build"),
        of::<Served>("build --preview"),
        of::<Served>("preview"),
        of::<Served>("run"),
        of::<Deployed>("deploy"),
        of::<EnvironmentMade>("deploy new"),
        of::<Deployed>("deploy send"),
        of::<EnvironmentList>("deploy list"),
        of::<EnvironmentInfo>("deploy info"),
        of::<EnvironmentDeleted>("deploy delete"),
        of::<Deployed>("rollback"),
        of::<Undeployed>("undeploy"),
        any("call", "What the function returned."),
        of::<Workers>("ps"),
        of::<LogLine>("logs"),
        any("manifest", "The manifest of the app, see `schemas/flash_manifest.schema.json`."),
        any("openapi", "The OpenAPI document of the app."),
        of::<EnvironmentList>("env list"),
        of::<EnvironmentInfo>("env info"),
        of::<EnvironmentDeleted>("env delete"),
        of::<AppList>("app list"),
        of::<AppDeleted>("app delete"),
        of::<Collected>("gc"),
        of::<Findings>("doctor"),
        of::<LoggedIn>("login"),
        of::<PlatformState>("platform start"),
        of::<PlatformState>("platform stop"),
        of::<PlatformState>("platform status"),
        of::<ImageMade>("platform image"),
        of::<ImageList>("platform images"),
        of::<Numbers>("platform parity"),
        of::<Repaired>("platform repair"),
        of::<Exported>("export docker"),
        of::<Completions>("completions"),
        of::<ManPages>("man"),
    ]
}
