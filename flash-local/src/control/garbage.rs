//! Files that nothing leads to any more: apps that were unpacked for a release that has gone, and uploads that never became a
//! build.

use std::collections::HashSet;
use std::io;
use std::path::{Path, PathBuf};

use flash_bootstrap::lock_of;

use super::Control;

impl Control {
    /// Removes them. It must not run while an artifact is unpacked.
    pub(super) fn collect_garbage(&self) {
        let state = self.state();
        let endpoints = state.endpoints.all().filter_map(|endpoint| endpoint.build.as_ref());
        let environments =
            state.environments.all().filter_map(|environment| environment.active_build.as_ref());
        let active = endpoints.chain(environments).filter_map(|id| state.builds.get(id));
        let mut apps: HashSet<PathBuf> = active.map(|build| self.app_dir(&build.sha256)).collect();
        // An old release runs until its last worker has finished.
        let plans =
            self.plane.table.all().into_iter().filter_map(|endpoint| endpoint.plan()?.spec.dir.clone());
        apps.extend(plans.chain(self.plane.roster.dirs()));
        let locks: Vec<_> = apps.iter().map(|app| lock_of(app)).collect();
        apps.extend(locks);
        sweep(&self.apps_dir(), |path| apps.contains(path));

        let builds = state.builds.all().map(|build| build.object_key.clone());
        let keys: HashSet<_> = builds.chain(state.uploads.all().map(|upload| upload.id.clone())).collect();
        let artifacts = self.artifacts.path("");
        for app in entries(&artifacts) {
            sweep(&app, |path| {
                let key = path.strip_prefix(&artifacts).ok().and_then(Path::to_str);
                // Until it is complete an upload has another name.
                key.is_none_or(|key| keys.contains(key)) || is_hidden(path)
            });
        }
    }

    /// Where apps are unpacked.
    fn apps_dir(&self) -> PathBuf {
        self.app_dir("").components().collect()
    }
}

fn is_hidden(path: &Path) -> bool {
    path.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b"."))
}

fn entries(dir: &Path) -> Vec<PathBuf> {
    std::fs::read_dir(dir).into_iter().flatten().flatten().map(|entry| entry.path()).collect()
}

/// Removes all that is not to be kept.
fn sweep(dir: &Path, keep: impl Fn(&Path) -> bool) {
    for path in entries(dir).into_iter().filter(|path| !keep(path)) {
        let removed =
            if path.is_dir() { std::fs::remove_dir_all(&path) } else { std::fs::remove_file(&path) };
        match removed {
            Ok(()) => tracing::debug!(path = %path.display(), "removed what nothing uses any more"),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => {
                tracing::warn!(path = %path.display(), %error, "failed to remove what nothing uses any more");
            }
        }
    }
}
