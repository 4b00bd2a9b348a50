//! The web page of the local platform in a real browser, over a real platform with real workers.

#![allow(clippy::unwrap_used, reason = "a test that panics has failed, and says where")]

mod browser;
mod http;
mod live;
mod pictures;
mod platform;
mod queue;
