use std::fs::{self, DirBuilder, File};
use std::io::{self, Read};
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::{Path, PathBuf};

use super::record::{Kept, read_all};
use super::segment::Segment;

/// Where the files of all processes of one endpoint lie.
#[derive(Debug)]
pub(super) struct Directory {
    path: PathBuf,
}

/// A file that a dead process left behind.
pub(super) struct Leftover {
    path: PathBuf,
    /// Locked, so that no other process takes it over too.
    _file: File,
    pub(super) results: Vec<Kept>,
}

impl Directory {
    /// Opens the directory, for this user only.
    ///
    /// # Errors
    /// It cannot be made, or belongs to somebody else, who could change what lies in it.
    pub(super) fn open(path: PathBuf) -> io::Result<Self> {
        DirBuilder::new().recursive(true).mode(0o700).create(&path)?;
        Ok(Self { path })
    }

    /// The file of this process.
    pub(super) fn create(&self) -> io::Result<Segment> {
        let segment = Segment::create(self.path.join(format!("{}.seg", unique())))?;
        let (mine, theirs) = (segment.owner()?, fs::metadata(&self.path)?);
        if mine != theirs.uid() || theirs.mode() & 0o022 != 0 {
            segment.remove();
            return Err(io::Error::other("other users can write to it"));
        }
        Ok(segment)
    }

    /// The files of processes that died.
    pub(super) fn leftovers(&self) -> io::Result<Vec<Leftover>> {
        let mut found = Vec::new();
        for entry in fs::read_dir(&self.path)? {
            let path = entry?.path();
            let extension = path.extension().and_then(|extension| extension.to_str());
            if !matches!(extension, Some("seg" | "new")) {
                continue;
            }
            match take_over(&path) {
                // One that never got its name holds nothing that its predecessor does not hold too.
                Ok(Some(_)) if extension == Some("new") => drop(fs::remove_file(&path)),
                Ok(Some(leftover)) => found.push(leftover),
                Ok(None) => {}
                Err(error) => {
                    tracing::warn!(%error, file = %path.display(), "results of an earlier process cannot be read");
                }
            }
        }
        // The oldest result first.
        found.sort_by_key(|leftover| leftover.results.first().map(|kept| kept.give_up));
        Ok(found)
    }
}

/// `None` when its process lives, or another one was faster.
fn take_over(path: &Path) -> io::Result<Option<Leftover>> {
    let mut file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    match file.try_lock() {
        Ok(()) => {}
        Err(fs::TryLockError::WouldBlock) => return Ok(None),
        Err(fs::TryLockError::Error(error)) => return Err(error),
    }
    // Whoever had it before may have dealt with it and removed it.
    match fs::metadata(path) {
        Ok(now) if now.ino() == file.metadata()?.ino() => {}
        _ => return Ok(None),
    }
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes)?;
    let (results, broken) = read_all(bytes.into());
    if broken > 0 {
        tracing::warn!(
            broken,
            file = %path.display(),
            "an earlier process left records that are damaged or half-written; they are skipped"
        );
    }
    Ok(Some(Leftover { path: path.to_owned(), _file: file, results }))
}

impl Leftover {
    /// Takes the file away: its results lie somewhere else now.
    pub(super) fn remove(self) {
        if let Err(error) = fs::remove_file(&self.path) {
            tracing::warn!(%error, file = %self.path.display(), "a file that is dealt with cannot be removed");
        }
    }
}

/// Process ids repeat in containers, so something random is added.
fn unique() -> String {
    use std::hash::{BuildHasher, Hasher};
    let random = std::collections::hash_map::RandomState::new().build_hasher().finish();
    format!("{}-{random:016x}", std::process::id())
}
