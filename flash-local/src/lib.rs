//! A RunPod-compatible platform on one machine, as a library: real queues, real worker processes, real HTTP, no account.
//!
//! [`LocalPlatform`] serves the data plane (`/v2/{endpoint}/…`) and a gateway for HTTP endpoints (`/lb/{endpoint}/…`) on one
//! free loopback port, and starts, watches and stops the workers of each endpoint. Nothing outlives it.

mod api_page;
mod browser;
mod builder;
#[cfg(feature = "control-plane")]
mod control;
mod endpoint;
mod environment;
mod error;
mod faults;
mod gateway;
#[cfg(feature = "control-plane")]
mod images;
mod jobs;
mod metrics;
mod mock;
mod outbox;
mod plane;
mod platform;
mod scaling;
mod server;
mod spec;
#[cfg(feature = "sqlite")]
mod sqlite;
#[cfg(any(feature = "control-plane", feature = "ui"))]
mod sse;
mod supervisor;
mod table;
mod traffic;
#[cfg(feature = "ui")]
mod ui;
mod webhook;

pub use api_page::{API_PAGE, api_page};
pub use builder::Builder;
#[cfg(feature = "control-plane")]
pub use control::{ControlError, sdl};
pub use error::PlatformError;
pub use faults::{Fault, Faults};
pub use flash_queue::limits::{self, Limits};
#[cfg(feature = "control-plane")]
pub use images::{Image, Images};
pub use mock::Mock;
pub use platform::LocalPlatform;
pub use scaling::{Scaler, Scaling};
pub use spec::{EndpointSpec, Kind};
#[cfg(feature = "sqlite")]
pub use sqlite::{DataError, Durability, Repaired, SqliteOptions, SqliteStore, repair};
pub use supervisor::{Exit, LogLine, Phases, Signal, Source, WorkerInfo, WorkerState};
pub use traffic::Exchange;
