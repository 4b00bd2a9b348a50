//! Requests without a general client between.

mod connection;
mod origin;

pub use origin::{Lost, Origin};
