//! The command `flash`: from source to a deployed app.
//!
//! A command is parsed in [`cli`], run in `command`, and tells its result through [`Output`]: text for people, one JSON
//! document for programs. What can fail ends as a [`Failure`] with an exit code that is part of the interface.

mod build;
pub mod cli;
mod command;
mod connect;
mod deploy;
#[cfg(test)]
mod docs;
mod failure;
mod main_fn;
mod output;
mod project;
mod report;

pub use failure::{Failure, exit};
pub use main_fn::main;
pub use output::Output;
