//! The public behaviour of the core.

mod fields;
mod manifest;
