use std::fs::{File, OpenOptions};
use std::io::{self, BufReader, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use flate2::bufread::GzDecoder;
use tar::EntryType;

use crate::error::ArtifactError;
use crate::hash::Hashing;
use crate::index::{FileEntry, INDEX_NAME, Index};
use crate::limits::Limits;
use crate::member;

/// Longest index: 50 000 files with their hashes, and some.
const INDEX_BYTES: u64 = 32 << 20;

/// An artifact whose files lie in a directory, every hash checked.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Unpacked {
    /// SHA-256 of the artifact, in hexadecimal.
    pub sha256: String,
    /// What is in it.
    pub index: Index,
}

/// Unpacks an artifact into the empty directory `into`, which should be private: nothing there may be used unless this
/// returns `Ok`. Every entry is checked against the index before it is written and hashed while it is written; files get
/// the modes 0644 and 0755 and nothing else of what the archive says.
///
/// # Errors
/// Whatever is not exactly an artifact as [`pack()`](crate::pack()) writes it: see [`ArtifactError`].
pub fn unpack(artifact: File, into: &Path, limits: &Limits) -> Result<Unpacked, ArtifactError> {
    let io = |source| ArtifactError::Io { path: into.to_owned(), source };
    let packed = artifact.metadata().map_err(io)?.len();
    if packed > limits.packed_bytes {
        let what = "its size";
        return Err(ArtifactError::Bomb { what, found: packed, limit: limits.packed_bytes });
    }
    let budget = limits.allowance(packed);
    let gzip = GzDecoder::new(BufReader::with_capacity(1 << 16, Hashing::new(artifact)));
    // Beyond the files themselves: headers and padding, 1 KiB each at most, and the end of the archive.
    let overhead = (limits.files as u64).saturating_mul(1 << 10).saturating_add(INDEX_BYTES);
    let mut archive = tar::Archive::new(gzip.take(budget.saturating_add(overhead)));

    let mut index: Option<Index> = None;
    let mut position = 0;
    // Raw entries: extensions with long names or sparse files would be read into memory before anyone could object.
    for entry in archive.entries().map_err(broken)?.raw(true) {
        let mut entry = entry.map_err(broken)?;
        let (path, size) = checked(&entry)?;
        let Some(index) = &index else {
            if path != INDEX_NAME {
                return Err(ArtifactError::NoIndex);
            }
            index = Some(read_index(&mut entry, size, limits, budget)?);
            continue;
        };
        let refused = |reason: &str| ArtifactError::Refused { path: path.clone(), reason: reason.to_owned() };
        let listed = index.files.get(position).ok_or_else(|| refused("is not in the index"))?;
        if listed.path != path || listed.size != size {
            return Err(refused("is not what the index says stands here"));
        }
        write(&mut entry, listed, into)?;
        position += 1;
    }
    let index = index.ok_or(ArtifactError::NoIndex)?;
    if let Some(missing) = index.files.get(position) {
        return Err(ArtifactError::Incomplete(format!("`{}` is missing", missing.path)));
    }
    // Up to the end of the file: the checksum of gzip stands there, and the hash covers it.
    let mut gzip = archive.into_inner().into_inner();
    drain(&mut gzip, limits)?;
    let mut rest = gzip.into_inner();
    let trailing = io::copy(&mut rest, &mut io::sink()).map_err(io)?;
    if trailing > 0 {
        let reason = format!("is followed by {trailing} bytes that do not belong to it");
        return Err(ArtifactError::Refused { path: "the archive".to_owned(), reason });
    }
    Ok(Unpacked { sha256: rest.into_inner().finish().1, index })
}

/// What stands between the last entry and the end: padding.
fn drain(gzip: &mut impl Read, limits: &Limits) -> Result<(), ArtifactError> {
    let limit = 1 << 20;
    let found = io::copy(&mut gzip.take(limit + 1), &mut io::sink()).map_err(broken)?;
    if found > limit.min(limits.unpacked_bytes) {
        return Err(ArtifactError::Bomb { what: "the padding at its end", found, limit });
    }
    Ok(())
}

/// Reading fails when the archive ends early, when its checksum is wrong, or when it is no archive.
#[allow(clippy::needless_pass_by_value, reason = "for `map_err`")]
fn broken(error: io::Error) -> ArtifactError {
    ArtifactError::Incomplete(error.to_string())
}

/// Path and size of an entry that can belong to an artifact.
fn checked<R: Read>(entry: &tar::Entry<'_, R>) -> Result<(String, u64), ArtifactError> {
    let header = entry.header();
    let bytes = entry.path_bytes();
    let path = String::from_utf8_lossy(&bytes).into_owned();
    let refused = |reason: &str| ArtifactError::Refused { path: path.clone(), reason: reason.to_owned() };
    match header.entry_type() {
        EntryType::Regular => {}
        EntryType::Symlink => return Err(refused("is a symbolic link")),
        EntryType::Link => return Err(refused("is a hard link")),
        EntryType::Char | EntryType::Block => return Err(refused("is a device")),
        EntryType::Fifo => return Err(refused("is a pipe")),
        EntryType::Directory => return Err(refused("is a directory, which no artifact lists")),
        _ => return Err(refused("is an extension that no artifact needs")),
    }
    if std::str::from_utf8(&bytes).is_err() {
        return Err(refused("is not UTF-8"));
    }
    member::check(&path).map_err(refused)?;
    let mode = header.mode().map_err(broken)?;
    if mode & 0o7000 != 0 {
        return Err(refused("has a setuid, setgid or sticky bit"));
    }
    let size = header.entry_size().map_err(broken)?;
    Ok((path, size))
}

fn read_index<R: Read>(
    entry: &mut tar::Entry<'_, R>,
    size: u64,
    limits: &Limits,
    budget: u64,
) -> Result<Index, ArtifactError> {
    if size > INDEX_BYTES {
        return Err(ArtifactError::Bomb { what: "the index", found: size, limit: INDEX_BYTES });
    }
    let mut json = Vec::new();
    entry.read_to_end(&mut json).map_err(broken)?;
    if (json.len() as u64) < size {
        return Err(ArtifactError::Incomplete("it ends inside of the index".to_owned()));
    }
    let index = Index::from_json(&json)?;
    if index.files.len() > limits.files {
        let (found, limit) = (index.files.len() as u64, limits.files as u64);
        return Err(ArtifactError::Bomb { what: "the number of its files", found, limit });
    }
    let found = index.unpacked_bytes();
    if found > budget {
        return Err(ArtifactError::Bomb { what: "the size of its files", found, limit: budget });
    }
    for file in &index.files {
        let refused =
            |reason: &str| ArtifactError::Refused { path: file.path.clone(), reason: reason.to_owned() };
        member::check(&file.path).map_err(refused)?;
        if file.path == INDEX_NAME {
            return Err(refused("is the index itself"));
        }
    }
    if !index.files.iter().any(|file| file.path == index.binary && file.executable) {
        return Err(ArtifactError::Index(format!(
            "it names `{}` as the binary and does not list it",
            index.binary
        )));
    }
    Ok(index)
}

fn write<R: Read>(
    entry: &mut tar::Entry<'_, R>,
    listed: &FileEntry,
    into: &Path,
) -> Result<(), ArtifactError> {
    let place = into.join(&listed.path);
    let io = |source| ArtifactError::Io { path: place.clone(), source };
    if let Some(parent) = place.parent() {
        std::fs::create_dir_all(parent).map_err(io)?;
    }
    let mode = if listed.executable { 0o755 } else { 0o644 };
    // `create_new`: two entries of one path would be a way to replace a file that was checked.
    let file = OpenOptions::new().write(true).create_new(true).mode(mode).open(&place).map_err(io)?;
    let mut hashing = Hashing::new(file);
    let mut buffer = vec![0; 1 << 16];
    loop {
        let read = entry.read(&mut buffer).map_err(broken)?;
        if read == 0 {
            break;
        }
        hashing.write_all(&buffer[..read]).map_err(io)?;
    }
    let (_, sha256, bytes) = hashing.finish();
    if bytes < listed.size {
        return Err(ArtifactError::Incomplete(format!("it ends inside of `{}`", listed.path)));
    }
    if sha256 != listed.sha256 {
        return Err(ArtifactError::Corrupt { path: listed.path.clone() });
    }
    Ok(())
}

/// Opens an artifact; one that does not exist is an error of its own, because it may come.
pub(crate) fn open(path: &Path) -> Result<File, ArtifactError> {
    File::open(path).map_err(|source| match source.kind() {
        io::ErrorKind::NotFound => ArtifactError::Missing(PathBuf::from(path)),
        _ => ArtifactError::Io { path: path.to_owned(), source },
    })
}
