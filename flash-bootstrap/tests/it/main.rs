//! Artifacts made, taken apart, and refused.

#![allow(clippy::unwrap_used, reason = "a test that panics has failed, and says where")]

mod bootstrap;
mod hostile;
mod round_trip;
mod support;
