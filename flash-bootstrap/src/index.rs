use serde::{Deserialize, Serialize};

use crate::error::ArtifactError;
use crate::target::Target;

/// The file that says what else is in an artifact; always the first.
pub const INDEX_NAME: &str = "flash_artifact.json";
/// The manifest of the app, beside the binary.
pub const MANIFEST_NAME: &str = "flash_manifest.json";
/// The format that is written here.
pub(crate) const FORMAT: u32 = 1;

/// What an artifact consists of. Every file but the index itself stands here with its hash.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Index {
    /// Version of the artifact's format: 1.
    pub format: u32,
    /// The binary's path in the artifact.
    pub binary: String,
    /// What the binary needs of a machine.
    pub target: Target,
    /// All files, in the order in which they lie in the archive.
    pub files: Vec<FileEntry>,
}

/// One file of an artifact.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct FileEntry {
    /// Path, relative to the app's directory.
    pub path: String,
    /// Bytes.
    pub size: u64,
    /// SHA-256 in hexadecimal.
    pub sha256: String,
    /// Whether it can be started.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub executable: bool,
}

impl Index {
    pub(crate) fn new(binary: String, target: Target, files: Vec<FileEntry>) -> Self {
        Self { format: FORMAT, binary, target, files }
    }

    pub(crate) fn to_json(&self) -> serde_json::Result<Vec<u8>> {
        let mut json = serde_json::to_vec_pretty(self)?;
        json.push(b'\n');
        Ok(json)
    }

    /// Reads an index. It may still contradict the archive around it.
    ///
    /// # Errors
    /// Text that is no index, or one of a newer format.
    pub fn from_json(json: &[u8]) -> Result<Self, ArtifactError> {
        // The format first: what else a newer index holds cannot be known here.
        #[derive(Deserialize)]
        struct Format {
            format: u32,
        }
        let unreadable = |error: serde_json::Error| ArtifactError::Index(error.to_string());
        let Format { format } = serde_json::from_slice(json).map_err(unreadable)?;
        if format != FORMAT {
            return Err(ArtifactError::Format(format));
        }
        serde_json::from_slice(json).map_err(unreadable)
    }

    /// Bytes of all files together.
    #[must_use]
    pub fn unpacked_bytes(&self) -> u64 {
        self.files.iter().fold(0, |sum, file| sum.saturating_add(file.size))
    }
}
