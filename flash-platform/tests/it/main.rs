//! The control plane's clients against a platform that misbehaves.

#![allow(clippy::unwrap_used, reason = "a test that panics has failed, and says where")]
#![allow(clippy::needless_pass_by_value, reason = "literals read better without references")]

mod control;
mod failures;
mod uploads;
