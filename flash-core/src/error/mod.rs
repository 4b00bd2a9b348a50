//! Errors: what a function returns, what crosses the wire, and what a caller sees.

mod call;
mod case;
pub mod code;
pub(crate) mod derived;
mod failure;
mod field;
#[cfg(any(feature = "anyhow", feature = "eyre"))]
mod opaque;
mod problem;
mod queue_form;
mod wire;

pub use call::CallError;
pub use case::ErrorCase;
pub use failure::Error;
pub use field::FieldError;
pub use problem::Problem;
pub use queue_form::{failure_of, from_error_string, to_error_string};
pub use wire::WireError;
