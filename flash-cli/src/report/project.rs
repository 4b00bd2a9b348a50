use std::path::PathBuf;

use schemars::JsonSchema;
use serde::Serialize;

/// `flash init`
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub(crate) struct Initialised {
    /// The directory of the new app.
    pub(crate) dir: PathBuf,
    /// Its name.
    pub(crate) name: String,
}

/// `flash build`
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub(crate) struct Packed {
    /// The artifact.
    pub(crate) artifact: PathBuf,
    /// Its SHA-256.
    pub(crate) sha256: String,
    /// Its size.
    pub(crate) bytes: u64,
    /// The target triple of the binary.
    pub(crate) target: String,
    /// The oldest glibc that runs it.
    pub(crate) glibc: Option<String>,
    /// Hash of what it was built from.
    pub(crate) source_fingerprint: Option<String>,
    /// Names of its endpoints.
    pub(crate) endpoints: Vec<String>,
}

/// `flash run` and `flash build --preview`: printed when the endpoints are served, and again when there are new ones.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub(crate) struct Served {
    /// Address of what serves them.
    pub(crate) url: String,
    /// A web page with all of it.
    pub(crate) page: Option<String>,
    /// A request for each function.
    pub(crate) functions: Vec<Function>,
}

/// How a function is called.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub(crate) struct Function {
    /// Its endpoint.
    pub(crate) endpoint: String,
    /// Its name.
    pub(crate) function: String,
    /// Method and address.
    pub(crate) request: String,
}

/// `flash export docker`
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub(crate) struct Exported {
    /// The files that were written.
    pub(crate) files: Vec<PathBuf>,
    /// Commands that use them.
    pub(crate) commands: Vec<String>,
}

/// `flash login`
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub(crate) struct LoggedIn {
    /// Where the key is.
    pub(crate) file: PathBuf,
}

/// `flash completions`
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub(crate) struct Completions {
    /// The shell.
    pub(crate) shell: String,
    /// What it reads.
    pub(crate) script: String,
}

/// `flash man`
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub(crate) struct ManPages {
    /// The directory.
    pub(crate) dir: PathBuf,
    /// How many pages are in it.
    pub(crate) pages: usize,
}
