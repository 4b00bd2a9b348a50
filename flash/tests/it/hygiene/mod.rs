//! The expansion works in every scope and under every lint that a user may have.

mod attributes;
mod from_macros;
mod name_conflicts;
mod renamed_crate;
mod strict_lints;
mod visibility;
