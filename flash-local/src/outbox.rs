//! Where workers keep results that their queue does not have yet.

use std::io;
use std::path::Path;

use tempfile::TempDir;

/// The directory that workers find in `FLASH_OUTBOX_DIR`.
#[derive(Debug)]
pub(crate) struct Outbox {
    /// Absolute, because workers have directories of their own.
    path: String,
    _temporary: Option<TempDir>,
}

impl Outbox {
    /// Below the data directory, where results come back with the platform as its jobs do; without one, a directory that
    /// goes with the platform.
    pub(crate) fn open(data: Option<&Path>) -> io::Result<Self> {
        let text = |path: &Path| path.display().to_string();
        if let Some(data) = data {
            return Ok(Self { path: text(&std::path::absolute(data)?.join("outbox")), _temporary: None });
        }
        let temporary = TempDir::with_prefix("flash-platform-")?;
        Ok(Self { path: text(temporary.path()), _temporary: Some(temporary) })
    }

    pub(crate) fn path(&self) -> &str {
        &self.path
    }
}
