//! `flash_manifest.json`: what an app consists of, as deployment and peers read it.
//!
//! Field names are the Python manifest's (platform contract D.7). Missing keys have defaults and unknown keys survive
//! a read and a write.

mod build;
mod catalogue;
mod document;
#[cfg(feature = "schema")]
mod schema;
mod validate;

pub use build::Described;
pub use catalogue::{Catalogue, GpuPool};
pub use document::{FunctionEntry, Manifest, ResourceEntry, RustSection, SecretEntry, VolumeEntry};
pub use validate::ManifestErrors;
