use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use crate::build::sources_of_binary;
use crate::project::Project;

/// The files that an app is built from and which are the user's.
pub(super) struct Sources {
    always: [PathBuf; 2],
    dir: PathBuf,
}

/// When each of them was changed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Seen(BTreeMap<PathBuf, Option<SystemTime>>);

impl Sources {
    pub(super) fn new(project: &Project) -> Self {
        let always = [project.manifest_path.clone(), project.workspace_root.join("Cargo.toml")];
        Self { always, dir: project.dir.join("src") }
    }

    /// As they are now: those that cargo lists for a binary, before there is one the package's own.
    pub(super) fn seen(&self, binary: Option<&Path>) -> Seen {
        let listed = binary.map(sources_of_binary).unwrap_or_default();
        let listed = if listed.is_empty() { rust_files(&self.dir) } else { listed };
        let files = listed.into_iter().chain(self.always.iter().cloned());
        Seen(files.map(|file| (file.clone(), modified(&file))).collect())
    }
}

impl Seen {
    /// Whether one of the files is another one now.
    pub(super) fn has_changed(&self) -> bool {
        self.0.iter().any(|(file, at)| modified(file) != *at)
    }

    /// The same files as they are now.
    pub(super) fn now(&self) -> Self {
        Self(self.0.keys().map(|file| (file.clone(), modified(file))).collect())
    }

    /// The files of both, with the times of this one where both have one: they are older.
    pub(super) fn older(self, other: Self) -> Self {
        let mut all = other.0;
        all.extend(self.0);
        Self(all)
    }
}

fn modified(file: &Path) -> Option<SystemTime> {
    file.metadata().and_then(|metadata| metadata.modified()).ok()
}

fn rust_files(dir: &Path) -> Vec<PathBuf> {
    let walk = ignore::WalkBuilder::new(dir).build().flatten();
    walk.map(ignore::DirEntry::into_path)
        .filter(|path| path.extension().is_some_and(|of| of == "rs"))
        .collect()
}
