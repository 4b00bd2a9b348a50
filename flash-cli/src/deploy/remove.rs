use std::time::Duration;

use flash_platform::control::Platform;
use serde_json::Value;

use super::apply::read_manifest;
use crate::failure::{During, Failure};

/// How often the State Manager is written, and a deletion is looked at.
const TRIES: u32 = 3;

/// Stores the manifest of a build and reads it back.
pub(super) async fn store_manifest(
    platform: &dyn Platform,
    build: &str,
    json: &Value,
) -> Result<(), Failure> {
    let mut tried = 0;
    loop {
        tried += 1;
        platform.set_manifest(build, json.clone()).await?;
        if platform.manifest(build).await?.as_ref() == Some(json) {
            return Ok(());
        }
        if tried == TRIES {
            return Err(Failure::new(format!(
                "the manifest of build {build} was stored {TRIES} times, and something else was there each time"
            )));
        }
    }
}

/// Deletes an endpoint and looks whether it is gone.
pub(super) async fn confirm_gone(platform: &dyn Platform, id: &str) -> Result<(), Failure> {
    platform.delete_endpoint(id).await?;
    for tried in 0..TRIES {
        if platform.endpoint(id).await?.is_none() {
            return Ok(());
        }
        tokio::time::sleep(Duration::from_millis(200 << tried)).await;
    }
    Err(Failure::new(format!("endpoint {id} was deleted, and the platform still has it")))
}

/// Removes endpoints: deleted, confirmed gone, and taken out of the manifest of the active build. Gives what is left, with
/// the reason.
pub(crate) async fn remove(
    platform: &dyn Platform,
    active_build: Option<&str>,
    endpoints: &[(String, String)],
    mut removed: impl FnMut(&str, &str) -> Result<(), Failure>,
) -> Result<Vec<Vec<String>>, Failure> {
    let mut left = Vec::new();
    let mut gone = Vec::new();
    for (resource, id) in endpoints {
        match confirm_gone(platform, id).await {
            Ok(()) => {
                removed(resource, id)?;
                gone.push(id.as_str());
            }
            Err(failure) => left.push(vec![resource.clone(), id.clone(), failure.text]),
        }
    }
    if let Some(build) = active_build
        && !gone.is_empty()
        && let Some(mut manifest) = read_manifest(platform, build).await?
    {
        for (name, entry) in &mut manifest.resources {
            if entry.endpoint_id.as_deref().is_some_and(|id| gone.contains(&id)) {
                entry.endpoint_id = None;
                entry.endpoint_url = None;
                entry.status = Some("removed".to_owned());
                manifest.resources_endpoints.remove(name);
            }
        }
        let json = serde_json::to_value(&manifest).during("the manifest cannot be written")?;
        store_manifest(platform, build, &json).await?;
    }
    Ok(left)
}
