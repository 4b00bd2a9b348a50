//! The roles of a Flash binary: queue worker, HTTP worker, local server, and the one that describes the app.

mod arguments;
mod describe;
pub mod exit;
pub mod http;
mod identity;
pub mod local;
mod local_app;
mod log;
mod manifest;
mod metrics;
mod one_shot;
pub mod queue;
mod ready;
mod run;
mod shutdown;

/// The web framework whose routers an endpoint serves.
pub use axum;
pub use local_app::LocalApp;
pub use run::{run, run_main, run_with};
pub use shutdown::Shutdown;
