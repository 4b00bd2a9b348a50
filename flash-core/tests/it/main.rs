//! The public behaviour of the core.

#![allow(clippy::unwrap_used, reason = "a test that panics has failed, and says where")]

mod both_ways;
mod catalogue;
mod fields;
mod manifest;
mod opaque;
mod properties;
mod schema;
mod settings;
