//! From source to an artifact.

mod artifact;
mod assets;
mod cargo;
mod describe;
mod fingerprint;
mod inputs;
mod secrets;

pub(crate) use artifact::{Built, build, describe_source, keep_manifest, kept_manifest, read_artifact};
pub(crate) use cargo::{Compile, compile};
pub(crate) use describe::describe;
pub(crate) use fingerprint::sources_of_binary;
