//! The user's package: where it is, what it is called, and what its settings say.

mod metadata;
mod overrides;
mod settings;

pub(crate) use metadata::{Project, cargo};
pub(crate) use overrides::Overrides;
