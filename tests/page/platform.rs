//! A platform whose workers are the fixture app, with what the app says of its functions.

use std::process::Command;
use std::sync::Arc;

use flash_local::{Builder, EndpointSpec, LocalPlatform};
use serde_json::Value;

const APP: &str = env!("CARGO_BIN_EXE_fixture-app");

/// The app's own description of its functions, the way a deployment gets it.
pub(crate) fn openapi() -> Arc<Value> {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("manifest.json");
    let status = Command::new(APP).env("FLASH_DESCRIBE", &file).status().unwrap();
    assert!(status.success());
    let manifest: Value = serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap();
    let document = manifest["rust"]["openapi"].clone();
    assert!(document["paths"].is_object(), "{manifest}");
    Arc::new(document)
}

pub(crate) async fn start(builder: Builder) -> LocalPlatform {
    let platform = builder.start().await.unwrap();
    let document = openapi();
    let specs = [
        EndpointSpec::queue("echo", APP),
        EndpointSpec::queue("mixed", APP),
        EndpointSpec::load_balanced("api", APP),
    ];
    platform.add_endpoints(specs.map(|spec| spec.openapi(document.clone()))).await.unwrap();
    platform
}
