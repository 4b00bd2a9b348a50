//! How an app gets from a build into a worker.
//!
//! [`pack()`] writes an artifact: the manifest, the binary, assets and the hash of each, the same bytes for the same files.
//! [`unpack()`] takes one apart and believes nothing of it, [`install()`] puts it where the app runs, and [`Target::check`] says
//! in words why a binary cannot run on this machine. [`Bootstrap`] is all of that in the order in which a worker starts; the
//! program `flash-worker` calls it and becomes the app.

mod bootstrap;
#[cfg(feature = "worker")]
mod download;
mod elf;
mod error;
mod hash;
mod index;
mod install;
mod limits;
mod machine;
mod member;
mod pack;
mod packages;
mod settings;
mod target;
mod unpack;

pub use bootstrap::{Bootstrap, Ready};
#[cfg(feature = "worker")]
pub use download::{Download, HttpDownload};
pub use error::{ArtifactError, BootstrapError, PackError, TargetError};
pub use hash::{sha256_of, sha256_of_file};
pub use index::{FileEntry, INDEX_NAME, Index, MANIFEST_NAME};
pub use install::{Installed, install, lock_of};
pub use limits::Limits;
pub use machine::Machine;
pub use pack::{Asset, Contents, Packed, pack};
pub use packages::missing_packages;
pub use settings::Settings;
pub use target::{GlibcVersion, Target, WORKER_PROTOCOL};
pub use unpack::{Unpacked, unpack};
