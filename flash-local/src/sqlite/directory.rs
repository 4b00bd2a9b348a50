//! The folder that a platform keeps everything in, and that only one platform has at a time.

use std::fs::{DirBuilder, File, OpenOptions, TryLockError};
use std::io::{self, Read as _, Seek as _, Write as _};
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};

/// A data directory that can not be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DataError {
    /// Another platform has it.
    #[error(
        "data directory {} is in use by process {process}\nhelp: stop that platform, or give this one another `--data-dir`", .dir.display()
    )]
    InUse {
        /// The directory.
        dir: PathBuf,
        /// The process that has it, as far as it is known.
        process: String,
    },
    /// The database lost commits that were acknowledged.
    #[error(
        "database in {} lost the last {lost} commits that were acknowledged (it ends at commit {commits} of {acknowledged})\n\
         help: put back a copy of the directory, or go on without them: `flash platform repair --data-dir {}`", .dir.display(), .dir.display()
    )]
    Behind {
        /// The directory.
        dir: PathBuf,
        /// How many are lost.
        lost: u64,
        /// The last commit that is there.
        commits: u64,
        /// The last commit that was acknowledged.
        acknowledged: u64,
    },
    /// The database is damaged.
    #[error(
        "database in {} is damaged: {problem}\nhelp: put back a copy of the directory, or save what can be read: `flash platform repair --data-dir {}`", .dir.display(), .dir.display()
    )]
    Damaged {
        /// The directory.
        dir: PathBuf,
        /// What is wrong.
        problem: String,
    },
    /// The database was written by a later version.
    #[error("database in {} has format {found}, and this version knows {known}\nhelp: use the version that wrote it", .dir.display())]
    Newer {
        /// The directory.
        dir: PathBuf,
        /// The format that was found.
        found: i64,
        /// The format that is known.
        known: i64,
    },
    /// A file can not be read or written.
    #[error("{}: {source}", .path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// SQLite refused.
    #[error("database in {} can not be opened: {source}", .dir.display())]
    Database {
        /// The directory.
        dir: PathBuf,
        /// Why.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

/// A data directory of this process, until it is dropped or the process ends, however it ends.
#[derive(Debug)]
pub(super) struct Directory {
    path: PathBuf,
    _lock: File,
}

impl Directory {
    /// Takes a directory, which is made if it is not there.
    pub(super) fn take(path: &Path) -> Result<Self, DataError> {
        // Inputs and results are nobody else's business.
        let made = DirBuilder::new().recursive(true).mode(0o700).create(path);
        made.map_err(|source| DataError::Io { path: path.to_owned(), source })?;
        let lock = path.join("lock");
        let io = |source| DataError::Io { path: lock.clone(), source };
        let mut file =
            OpenOptions::new().read(true).write(true).create(true).truncate(false).open(&lock).map_err(io)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let mut process = String::new();
                let _ = file.read_to_string(&mut process);
                let process = process.trim();
                let process = if process.is_empty() { "unknown" } else { process }.to_owned();
                return Err(DataError::InUse { dir: path.to_owned(), process });
            }
            Err(TryLockError::Error(source)) => return Err(io(source)),
        }
        file.set_len(0).map_err(io)?;
        file.rewind().map_err(io)?;
        writeln!(file, "{}", std::process::id()).map_err(io)?;
        Ok(Self { path: path.to_owned(), _lock: file })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    pub(super) fn database(&self) -> PathBuf {
        self.path.join("flash.db")
    }

    pub(super) fn mark(&self) -> PathBuf {
        self.path.join("commits")
    }
}
