use std::fs::File;
use std::io::{self, Seek};
use std::path::{Path, PathBuf};

use crate::error::ArtifactError;
use crate::hash::Hashing;
use crate::index::{INDEX_NAME, Index};
use crate::limits::Limits;
use crate::unpack::{Unpacked, open, unpack};

/// Says which artifact a directory holds. Written last, so a directory with it is complete.
const MARKER: &str = ".flash-artifact";

/// An app that can be started.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Installed {
    /// SHA-256 of its artifact, in hexadecimal.
    pub sha256: String,
    /// Its directory.
    pub dir: PathBuf,
    /// Its binary.
    pub binary: PathBuf,
    /// What it consists of.
    pub index: Index,
}

impl Installed {
    /// The app in `dir`, when it was put there completely.
    #[must_use]
    pub fn at(dir: &Path) -> Option<Self> {
        let sha256 = std::fs::read_to_string(dir.join(MARKER)).ok()?.trim().to_owned();
        let index = Index::from_json(&std::fs::read(dir.join(INDEX_NAME)).ok()?).ok()?;
        Some(Self { sha256, binary: dir.join(&index.binary), dir: dir.to_owned(), index })
    }
}

/// Puts the artifact `path` into `dir`, all or nothing. With `expected` it must be the one of that SHA-256, which is checked
/// before anything in it is looked at. When `dir` holds it already, nothing is done; when `dir` holds something else, it is
/// replaced. Processes that do this at the same time take turns.
///
/// # Errors
/// Why the artifact is not the right one or not acceptable, or why `dir` cannot be written. `dir` is then as before.
pub fn install(
    path: &Path,
    dir: &Path,
    expected: Option<&str>,
    limits: &Limits,
) -> Result<Installed, ArtifactError> {
    let io = |source| ArtifactError::Io { path: dir.to_owned(), source };
    let parent = dir.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let name = dir.file_name().unwrap_or_default().to_string_lossy();
    std::fs::create_dir_all(parent).map_err(io)?;
    // Held until the end; the kernel lets go of it when this process dies.
    let lock = File::create(lock_of(dir)).map_err(io)?;
    lock.lock().map_err(io)?;

    let mut artifact = open(path)?;
    let found = hash(&mut artifact, path, limits)?;
    if let Some(expected) = expected
        && !expected.eq_ignore_ascii_case(&found)
    {
        return Err(ArtifactError::OtherBuild { expected: expected.to_owned(), found });
    }
    if let Some(there) = Installed::at(dir)
        && there.sha256 == found
    {
        return Ok(there);
    }
    // Beside its final place, so that it gets there by one rename.
    let fresh = tempfile::Builder::new().prefix(&format!(".{name}.")).tempdir_in(parent).map_err(io)?;
    artifact.rewind().map_err(io)?;
    let unpacked = unpack(artifact, fresh.path(), limits)?;
    if unpacked.sha256 != found {
        return Err(ArtifactError::Incomplete("it changed while it was unpacked".to_owned()));
    }
    let json = unpacked.index.to_json().map_err(|error| io(io::Error::other(error)))?;
    std::fs::write(fresh.path().join(INDEX_NAME), json).map_err(io)?;
    std::fs::write(fresh.path().join(MARKER), format!("{found}\n")).map_err(io)?;
    open_up(fresh.path()).map_err(io)?;
    replace(fresh, dir).map_err(io)?;
    let Unpacked { index, .. } = unpacked;
    Ok(Installed { sha256: found, binary: dir.join(&index.binary), dir: dir.to_owned(), index })
}

/// The file beside `dir` that [`install`] locks for as long as it works on `dir`. It is left there.
#[must_use]
pub fn lock_of(dir: &Path) -> PathBuf {
    let name = dir.file_name().unwrap_or_default().to_string_lossy();
    dir.with_file_name(format!(".{name}.flash-lock"))
}

/// Temporary directories are private; the app may run as another user.
fn open_up(dir: &Path) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    std::fs::set_permissions(dir, std::fs::Permissions::from_mode(0o755))
}

fn hash(artifact: &mut File, path: &Path, limits: &Limits) -> Result<String, ArtifactError> {
    let io = |source| ArtifactError::Io { path: path.to_owned(), source };
    let found = artifact.metadata().map_err(io)?.len();
    if found > limits.packed_bytes {
        return Err(ArtifactError::Bomb { what: "its size", found, limit: limits.packed_bytes });
    }
    let mut hashing = Hashing::new(io::sink());
    io::copy(artifact, &mut hashing).map_err(io)?;
    Ok(hashing.finish().1)
}

/// Moves `fresh` to `dir`. What was there goes away afterwards.
fn replace(fresh: tempfile::TempDir, dir: &Path) -> io::Result<()> {
    match std::fs::rename(fresh.path(), dir) {
        Ok(()) => {
            // It is no longer temporary, and has another name.
            let _ = fresh.keep();
            Ok(())
        }
        // Something is there; a directory can only be renamed onto an empty one.
        Err(_) if dir.symlink_metadata().is_ok() => {
            exchange(fresh.path(), dir)?;
            // Now `fresh` is the old one, and dropping it removes it.
            drop(fresh);
            Ok(())
        }
        Err(error) => Err(error),
    }
}

#[cfg(target_os = "linux")]
fn exchange(fresh: &Path, dir: &Path) -> io::Result<()> {
    use rustix::fs::{CWD, RenameFlags, renameat_with};
    Ok(renameat_with(CWD, fresh, CWD, dir, RenameFlags::EXCHANGE)?)
}

/// Not atomic: between the two steps there is no app, which the next start repairs.
#[cfg(not(target_os = "linux"))]
fn exchange(fresh: &Path, dir: &Path) -> io::Result<()> {
    let aside = fresh.with_extension("old");
    std::fs::rename(dir, &aside)?;
    std::fs::rename(fresh, dir)?;
    std::fs::rename(&aside, fresh)
}
