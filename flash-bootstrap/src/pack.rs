use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufReader, Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use flate2::{Compression, GzBuilder};

use crate::error::PackError;
use crate::hash::{Hashing, sha256_of, sha256_of_file};
use crate::index::{FileEntry, INDEX_NAME, Index, MANIFEST_NAME};
use crate::limits::Limits;
use crate::member;
use crate::target::Target;

/// All files have the same time, or the same sources would make different artifacts: 1980-01-01, which every tool can show.
const MTIME: u64 = 315_532_800;
/// "Unknown" as the system that wrote the file, for the same reason.
const GZIP_OS: u8 = 255;

/// What goes into an artifact.
#[derive(Debug, Clone)]
pub struct Contents {
    /// The manifest, as it is to lie beside the binary.
    pub manifest: Vec<u8>,
    /// The app's binary.
    pub binary: PathBuf,
    /// The target triple that it was built for.
    pub triple: String,
    /// The version of the worker protocol that it speaks.
    pub worker_protocol: u32,
    /// Files that the app reads, in any order.
    pub assets: Vec<Asset>,
}

/// A file beside the binary.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Asset {
    /// Where the app finds it, relative to its directory, with `/`.
    pub path: String,
    /// The file.
    pub file: PathBuf,
}

/// An artifact that was written.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Packed {
    /// SHA-256 of the artifact, in hexadecimal.
    pub sha256: String,
    /// Its bytes.
    pub bytes: u64,
    /// What is in it.
    pub index: Index,
}

/// Writes an artifact to `out`: gzipped tar of the index, the manifest, the binary and the assets by name. The bytes depend
/// on nothing but contents and names.
///
/// # Errors
/// A file that cannot be read or is no program, a path that an artifact cannot hold, too many bytes, a full disk.
pub fn pack(contents: &Contents, out: impl Write, limits: &Limits) -> Result<Packed, PackError> {
    let binary = read(&contents.binary)?;
    let target = Target::of_binary(&binary, &contents.triple, contents.worker_protocol)
        .map_err(|reason| PackError::Binary { path: contents.binary.clone(), reason })?;
    let name = contents.binary.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let assets = assets(contents, &name)?;

    let mut files = vec![entry(MANIFEST_NAME, &contents.manifest, false), entry(&name, &binary, true)];
    for (path, file) in &assets {
        let unreadable = |source| PackError::Read { path: file.clone(), source };
        let metadata = std::fs::metadata(file).map_err(unreadable)?;
        files.push(FileEntry {
            path: path.clone(),
            size: metadata.len(),
            sha256: sha256_of_file(file).map_err(unreadable)?,
            executable: metadata.permissions().mode() & 0o111 != 0,
        });
    }
    let index = Index::new(name, target, files);
    check_size(index.unpacked_bytes(), limits.unpacked_bytes)?;
    let json = index.to_json().map_err(|error| PackError::Write(io::Error::other(error)))?;

    let gzip =
        GzBuilder::new().mtime(0).operating_system(GZIP_OS).write(Hashing::new(out), Compression::new(6));
    let mut archive = tar::Builder::new(gzip);
    append(&mut archive, &entry(INDEX_NAME, &json, false), &*json)?;
    let mut entries = index.files.iter();
    for bytes in [&contents.manifest, &binary] {
        if let Some(entry) = entries.next() {
            append(&mut archive, entry, &**bytes)?;
        }
    }
    for (entry, file) in entries.zip(assets.values()) {
        let source = File::open(file).map_err(|source| PackError::Read { path: file.clone(), source })?;
        append_file(&mut archive, entry, file, source)?;
    }
    let gzip = archive.into_inner().map_err(PackError::Write)?;
    let mut out = gzip.finish().map_err(PackError::Write)?;
    out.flush().map_err(PackError::Write)?;
    let (_, sha256, bytes) = out.finish();
    check_size(bytes, limits.packed_bytes)?;
    Ok(Packed { sha256, bytes, index })
}

fn check_size(bytes: u64, limit: u64) -> Result<(), PackError> {
    if bytes <= limit {
        return Ok(());
    }
    let help = "list large files in .flashignore, and keep models on a network volume";
    Err(PackError::TooLarge { bytes, limit, help })
}

/// The assets by path, each path once.
fn assets(contents: &Contents, binary: &str) -> Result<BTreeMap<String, PathBuf>, PackError> {
    let refuse =
        |path: &str, reason: &str| PackError::Path { path: path.to_owned(), reason: reason.to_owned() };
    member::check(binary).map_err(|reason| refuse(binary, reason))?;
    let mut by_path = BTreeMap::new();
    for Asset { path, file } in &contents.assets {
        member::check(path).map_err(|reason| refuse(path, reason))?;
        if [INDEX_NAME, MANIFEST_NAME, binary].contains(&path.as_str()) {
            return Err(refuse(path, "is taken by the artifact's own file\nhelp: rename the asset"));
        }
        if by_path.insert(path.clone(), file.clone()).is_some() {
            return Err(refuse(path, "is the place of two assets"));
        }
    }
    Ok(by_path)
}

fn read(path: &Path) -> Result<Vec<u8>, PackError> {
    std::fs::read(path).map_err(|source| PackError::Read { path: path.to_owned(), source })
}

fn entry(path: &str, bytes: &[u8], executable: bool) -> FileEntry {
    FileEntry { path: path.to_owned(), size: bytes.len() as u64, sha256: sha256_of(bytes), executable }
}

fn append<W: Write>(
    archive: &mut tar::Builder<W>,
    entry: &FileEntry,
    bytes: impl Read,
) -> Result<(), PackError> {
    let mut header = tar::Header::new_ustar();
    header.set_path(&entry.path).map_err(|error| PackError::Path {
        path: entry.path.clone(),
        reason: format!("does not fit into a tar header: {error}\nhelp: use shorter names"),
    })?;
    header.set_entry_type(tar::EntryType::Regular);
    header.set_size(entry.size);
    header.set_mode(if entry.executable { 0o755 } else { 0o644 });
    header.set_uid(0);
    header.set_gid(0);
    header.set_mtime(MTIME);
    header.set_cksum();
    archive.append(&header, bytes).map_err(PackError::Write)
}

/// Appends a file that was hashed before. Should it have changed since, the artifact would be refused by every worker, so it
/// is hashed again.
fn append_file<W: Write>(
    archive: &mut tar::Builder<W>,
    entry: &FileEntry,
    path: &Path,
    file: File,
) -> Result<(), PackError> {
    let mut hashing = Hashing::new(BufReader::new(file).take(entry.size));
    append(archive, entry, &mut hashing)?;
    let (_, sha256, bytes) = hashing.finish();
    if (sha256.as_str(), bytes) == (entry.sha256.as_str(), entry.size) {
        return Ok(());
    }
    let source = io::Error::other("it changed while it was packed; build again");
    Err(PackError::Read { path: path.to_owned(), source })
}
