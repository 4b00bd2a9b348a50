use std::path::PathBuf;

use schemars::JsonSchema;
use serde::Serialize;

/// `flash platform start`, `stop` and `status`
#[derive(Debug, Clone, Default, Serialize, JsonSchema)]
pub(crate) struct PlatformState {
    /// Whether it runs.
    pub(crate) running: bool,
    /// Its process, also of one that was just stopped.
    pub(crate) pid: Option<u32>,
    /// Its address.
    pub(crate) url: Option<String>,
    /// Where its data is.
    pub(crate) data: Option<PathBuf>,
}

/// `flash platform image`
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub(crate) struct ImageMade {
    /// The image's name.
    pub(crate) image: String,
    /// SHA-256 of its content.
    pub(crate) digest: String,
    /// Bytes of its packed content.
    pub(crate) bytes: u64,
}

/// `flash platform images`
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub(crate) struct ImageList {
    /// The images of the local platform.
    pub(crate) images: Vec<ListedImage>,
}

/// An image in a list.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub(crate) struct ListedImage {
    /// Its name.
    pub(crate) image: String,
    /// SHA-256 of its content.
    pub(crate) digest: String,
}

/// `flash platform parity`
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub(crate) struct Numbers {
    /// Every limit, time and switch of the platform.
    pub(crate) numbers: Vec<Number>,
}

/// A number of the platform.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub(crate) struct Number {
    /// The name of its setting.
    pub(crate) name: String,
    /// The value in force, with its unit.
    pub(crate) value: String,
    /// How sure it is.
    pub(crate) grade: String,
    /// Where it is from.
    pub(crate) source: String,
    /// What it bounds.
    pub(crate) about: String,
}

/// `flash platform repair`
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub(crate) struct Repaired {
    /// The directory.
    pub(crate) data: PathBuf,
    /// Jobs that are whole.
    pub(crate) jobs: u64,
    /// Jobs that could not be read and are gone.
    pub(crate) damaged: Vec<String>,
    /// Acknowledged commits that are lost.
    pub(crate) lost_commits: u64,
}
