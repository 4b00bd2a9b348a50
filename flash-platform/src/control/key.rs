use std::fmt;
use std::path::PathBuf;

use flash_core::Secret;

/// A key of the platform, and where it was found: a refused key is only half told without its source.
#[derive(Debug, Clone)]
pub struct ApiKey {
    /// The key.
    pub secret: Secret,
    /// Where it is from.
    pub source: KeySource,
}

/// Where a key is from.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum KeySource {
    /// `RUNPOD_API_KEY` of the environment.
    Environment,
    /// `RUNPOD_API_KEY` in this `.env` file.
    DotEnv(PathBuf),
    /// The file that `flash login` writes.
    Login(PathBuf),
    /// The local platform made it.
    Local,
}

impl fmt::Display for KeySource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Environment => f.write_str("RUNPOD_API_KEY in the environment"),
            Self::DotEnv(path) => write!(f, "RUNPOD_API_KEY in `{}`", path.display()),
            Self::Login(path) => write!(f, "the login in `{}`", path.display()),
            Self::Local => f.write_str("the local platform"),
        }
    }
}
