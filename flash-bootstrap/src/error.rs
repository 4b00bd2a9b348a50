use std::io;
use std::path::PathBuf;

use crate::target::GlibcVersion;

/// Why an artifact could not be made.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PackError {
    /// A file could not be read.
    #[error("`{}` cannot be read: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The artifact could not be written.
    #[error("the artifact cannot be written: {0}")]
    Write(#[source] io::Error),
    /// The binary is nothing that a worker could start.
    #[error("`{}` cannot run on the platform: {reason}", path.display())]
    Binary {
        /// The binary.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// A file has a name that an artifact cannot hold, or the same name as another.
    #[error("the path `{path}` {reason}")]
    Path {
        /// The path in the artifact.
        path: String,
        /// What is wrong with it.
        reason: String,
    },
    /// It would be larger than the platform takes.
    #[error("the artifact would have {bytes} bytes of files, and at most {limit} are taken\nhelp: {help}")]
    TooLarge {
        /// Bytes of its files, or its own bytes.
        bytes: u64,
        /// The limit.
        limit: u64,
        /// What to do.
        help: &'static str,
    },
}

/// Why an artifact was not unpacked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ArtifactError {
    /// There is none.
    #[error("there is no artifact at `{}`", .0.display())]
    Missing(PathBuf),
    /// It ends early, or its checksum is wrong: still being written, or damaged.
    #[error("the artifact is not whole: {0}")]
    Incomplete(String),
    /// It is another one than the endpoint was provisioned for.
    #[error("the artifact is {found}, and this endpoint runs {expected}")]
    OtherBuild {
        /// SHA-256 that is asked for.
        expected: String,
        /// SHA-256 that it has.
        found: String,
    },
    /// Its first file is not the index.
    #[error(
        "the artifact has no `flash_artifact.json` at its beginning\nhelp: only artifacts of `flash build` can run here"
    )]
    NoIndex,
    /// The index cannot be read.
    #[error("`flash_artifact.json` cannot be read: {0}")]
    Index(String),
    /// The format is of another version.
    #[error(
        "the artifact has format {0}, and this version reads 1\nhelp: update the worker image, or build with its version of flash"
    )]
    Format(u32),
    /// It breaks a rule that every artifact keeps, so somebody made it to do harm.
    #[error("the artifact is refused: `{path}` {reason}")]
    Refused {
        /// The entry.
        path: String,
        /// The rule.
        reason: String,
    },
    /// It is larger than allowed.
    #[error("the artifact is refused: {what} is {found}, and the limit is {limit}")]
    Bomb {
        /// What was counted.
        what: &'static str,
        /// How much there is.
        found: u64,
        /// How much there may be.
        limit: u64,
    },
    /// A file does not have the hash that the index says.
    #[error("`{path}` in the artifact does not have the hash that its index says")]
    Corrupt {
        /// The file.
        path: String,
    },
    /// Reading or writing failed on this machine.
    #[error("`{}`: {source}", path.display())]
    Io {
        /// Where.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

impl ArtifactError {
    /// Whether a later look may find another artifact: it is missing, still being written, or not replaced yet.
    #[must_use]
    pub fn may_pass(&self) -> bool {
        matches!(self, Self::Missing(_) | Self::Incomplete(_) | Self::OtherBuild { .. })
    }
}

/// Why a binary cannot run on a machine.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TargetError {
    /// The wrong processor.
    #[error(
        "the app is built for {binary}, and this machine is {machine}\nhelp: build with `flash build --target {machine}-unknown-linux-gnu`"
    )]
    Architecture {
        /// What it was built for.
        binary: String,
        /// What this is.
        machine: String,
    },
    /// The C library is too old.
    #[error(
        "the app needs glibc {needed} or newer, and this image has {found}\nhelp: use a newer image, or build for an older glibc with `flash build --target x86_64-unknown-linux-gnu.{found}`"
    )]
    Glibc {
        /// What it needs.
        needed: GlibcVersion,
        /// What there is.
        found: GlibcVersion,
    },
    /// The loader is missing.
    #[error(
        "the app is started by `{0}`, which this image does not have\nhelp: use an image with glibc, or build with `flash build --target x86_64-unknown-linux-musl`"
    )]
    Interpreter(String),
    /// Another worker protocol.
    #[error(
        "the app speaks worker protocol {binary}, and this flash-worker starts protocol {known}\nhelp: use a worker image of the version of flash that the app is built with"
    )]
    Protocol {
        /// What the app speaks.
        binary: u32,
        /// What is known here.
        known: u32,
    },
}

/// Why a worker did not start its app.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BootstrapError {
    /// A variable of the environment is not usable.
    #[error("{0}")]
    Settings(String),
    /// The artifact never came.
    #[error("no usable artifact within {waited_secs} s: {last}\nhelp: {help}")]
    Waited {
        /// Seconds that passed.
        waited_secs: u64,
        /// What the last look found.
        last: ArtifactError,
        /// What to do.
        help: &'static str,
    },
    /// The artifact is not acceptable.
    #[error(transparent)]
    Artifact(#[from] ArtifactError),
    /// The binary cannot run here.
    #[error(transparent)]
    Target(#[from] TargetError),
    /// Unpacking is disabled, and there is no app.
    #[error("FLASH_DISABLE_UNPACK is set, and `{}` holds no unpacked app\nhelp: put the app there, or unset the variable", .0.display())]
    NoApp(PathBuf),
    /// The operating system does not start it.
    #[error("`{}` cannot be started: {source}", path.display())]
    Exec {
        /// The binary.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

impl BootstrapError {
    /// The exit code of `flash-worker` for this error; they are part of its interface (docs/exit-codes.md).
    #[must_use]
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Settings(_) => 2,
            Self::Waited { .. } => 70,
            Self::Artifact(_) => 71,
            Self::Target(_) => 72,
            Self::NoApp(_) | Self::Exec { .. } => 73,
        }
    }
}
