//! Uploads and the builds that they become.

use std::sync::Arc;

use serde_json::Value;

use super::records::{Build, Upload};
use super::{Control, ControlError, id};

/// Largest artifact, as the clients check it (platform contract D.5): 1500 MiB.
const ARTIFACT_MAX: u64 = 1_500 * 1024 * 1024;

impl Control {
    /// Announces an artifact and answers where to put it.
    pub(super) async fn prepare_upload(
        self: &Arc<Self>,
        app: String,
        size: u64,
    ) -> Result<Arc<Upload>, ControlError> {
        if size == 0 || size > ARTIFACT_MAX {
            return Err(ControlError::invalid(format!(
                "an artifact of {size} bytes is not possible: 1 to {ARTIFACT_MAX} bytes"
            )));
        }
        let now = self.now();
        let expires = now + self.plane.limits.upload_url;
        self.write(move |state| {
            state.app(&app)?;
            // Whoever did not come in time does not come any more.
            state.uploads.remove_all(|upload| upload.expires + std::time::Duration::from_secs(3_600) < now);
            let id = format!("{app}/{}.tar.gz", id::fresh(20));
            Ok(state.uploads.put(Upload { id, app, size, expires }))
        })
        .await
    }

    /// Makes a build of an artifact that was uploaded.
    pub(super) async fn finalize_upload(
        self: &Arc<Self>,
        app: String,
        object_key: String,
        manifest: Value,
    ) -> Result<Arc<Build>, ControlError> {
        check_manifest(&manifest)?;
        let upload = self.state().uploads.get(&object_key).cloned().filter(|upload| upload.app == app);
        let upload = upload.ok_or(ControlError::NotFound("upload"))?;
        let this = self.clone();
        let key = object_key.clone();
        // It reads the whole artifact.
        let sha256 = tokio::task::spawn_blocking(move || this.artifacts.check(&key, upload.size))
            .await
            .map_err(|error| ControlError::Storage(error.to_string()))??;
        let created = self.now();
        self.write(move |state| {
            state.app(&app)?;
            if state.uploads.remove(&object_key).is_none() {
                return Err(ControlError::Conflict("the upload was finalized already".to_owned()));
            }
            Ok(state.builds.put(Build { id: id::object(), app, object_key, sha256, created, manifest }))
        })
        .await
    }

    pub(super) async fn set_manifest(
        self: &Arc<Self>,
        build: String,
        manifest: Value,
    ) -> Result<Arc<Build>, ControlError> {
        check_manifest(&manifest)?;
        self.write(move |state| {
            let changed = Build { manifest, ..Build::clone(state.build(&build)?) };
            Ok(state.builds.put(changed))
        })
        .await
    }
}

fn check_manifest(manifest: &Value) -> Result<(), ControlError> {
    if manifest.is_object() { Ok(()) } else { Err(ControlError::invalid("manifest must be a JSON object")) }
}
