use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::{Value, json};

use super::state_manager::{Known, endpoints_of};

/// The environment whose addresses stand in the file. Workers of several environments may have the same build, and then, on
/// one machine, the same file.
const ENVIRONMENT: &str = "flash_environment_id";

/// The worker's manifest, in which what the State Manager said last outlives the process: a worker that starts while the State
/// Manager is down finds its peers where they were.
#[derive(Debug)]
pub(super) struct Kept {
    path: PathBuf,
    environment: String,
    has_complained: AtomicBool,
}

impl Kept {
    pub(super) fn new(path: PathBuf, environment: &str) -> Self {
        Self { path, environment: environment.to_owned(), has_complained: AtomicBool::new(false) }
    }

    /// The addresses that were kept.
    pub(super) fn endpoints(&self) -> BTreeMap<String, Known> {
        match self.read() {
            Ok(manifest) if manifest[ENVIRONMENT] == self.environment.as_str() => endpoints_of(&manifest),
            _ => BTreeMap::new(),
        }
    }

    fn read(&self) -> std::io::Result<Value> {
        Ok(serde_json::from_slice(&std::fs::read(&self.path)?)?)
    }

    /// Keeps the addresses of the active build. What the file says of functions stays: it is of the build that this worker runs,
    /// and the active one may be another by now.
    pub(super) fn keep(&self, active: &Value) {
        let written = self.read().and_then(|before| {
            let after = self.with_addresses(before.clone(), active);
            if before == after { Ok(()) } else { self.write(&after) }
        });
        if let Err(error) = written
            && !self.has_complained.swap(true, Ordering::Relaxed)
        {
            let path = self.path.display();
            tracing::warn!(%path, %error, "what the State Manager said can not be kept for the next start");
        }
    }

    fn with_addresses(&self, mut manifest: Value, active: &Value) -> Value {
        manifest[ENVIRONMENT] = json!(self.environment);
        manifest["resources_endpoints"] =
            active.get("resources_endpoints").cloned().unwrap_or_else(|| json!({}));
        for (name, entry) in manifest["resources"].as_object_mut().into_iter().flatten() {
            let Some(entry) = entry.as_object_mut() else { continue };
            for key in ["endpoint_id", "endpoint_url"] {
                match active["resources"][name].get(key) {
                    Some(value) => entry.insert(key.to_owned(), value.clone()),
                    None => entry.remove(key),
                };
            }
        }
        manifest
    }

    /// All or nothing: other workers read it at the same time.
    fn write(&self, manifest: &Value) -> std::io::Result<()> {
        let fresh = self.path.with_extension(format!("{}.tmp", std::process::id()));
        let written = serde_json::to_vec_pretty(manifest)
            .map_err(std::io::Error::from)
            .and_then(|json| std::fs::write(&fresh, json))
            .and_then(|()| std::fs::rename(&fresh, &self.path));
        if written.is_err() {
            // There may be nothing to remove.
            let _ = std::fs::remove_file(&fresh);
        }
        written
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_kept_for_their_environment_and_functions_stay() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("flash_manifest.json");
        let packed = json!({
            "resources": {"api": {"functions": [{"name": "old"}]}, "gpu": {"endpoint_id": "gone", "functions": []}},
            "rust": {"function_table_sha256": "old"},
        });
        std::fs::write(&path, packed.to_string()).unwrap();
        let kept = Kept::new(path.clone(), "env-1");
        assert!(kept.endpoints().is_empty(), "nobody said of which environment these are");
        let active = json!({
            "resources": {"api": {"endpoint_id": "a1", "functions": [{"name": "new"}]}, "added": {"endpoint_id": "b2"}},
            "resources_endpoints": {"api": "http://127.0.0.1:1/api", "added": "http://127.0.0.1:1/added"},
            "rust": {"function_table_sha256": "new"},
        });
        kept.keep(&active);
        let names: Vec<String> = kept.endpoints().into_keys().collect();
        assert_eq!(names, ["added", "api"]);
        assert!(Kept::new(path.clone(), "env-2").endpoints().is_empty());
        let now = kept.read().unwrap();
        assert_eq!(
            (&now["rust"], &now["resources"]["api"]["functions"]),
            (&packed["rust"], &packed["resources"]["api"]["functions"])
        );
        assert!(now["resources"]["gpu"].get("endpoint_id").is_none(), "{now}");
        // Nothing is written for nothing, and nothing lies around.
        let before = std::fs::metadata(&path).unwrap().modified().unwrap();
        kept.keep(&active);
        assert_eq!(std::fs::metadata(&path).unwrap().modified().unwrap(), before);
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 1);
    }
}
