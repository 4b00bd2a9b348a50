//! What the macros make of functions and errors, used as a user's crate uses them.
//!
//! All functions of this binary share one registry, so each has a name of its own.

// For `hygiene::renamed_crate`: the name that a user's Cargo.toml may give the crate.
extern crate flash as renamed;

mod arguments;
mod bodies;
mod bytes;
mod classes;
mod derived_errors;
mod direct_calls;
mod functions;
mod hygiene;
mod links;
mod meta;
mod openapi;
mod registry;
mod streams;
mod support;
