//! Typed clients of the platform: so far the jobs of queue endpoints, the routes of HTTP endpoints, and the transport
//! that carries remote calls to them.

mod base;
mod client;
#[cfg(feature = "control")]
pub mod control;
mod credentials;
mod deployed;
pub mod direct;
mod discovery;
mod http;
mod jobs;
mod public;
mod queue_call;
mod remote_job;
mod route_call;
mod tls;

pub use client::{Client, RemoteEndpoint, UntypedCall};
pub use credentials::Credentials;
pub use deployed::{Deployed, app_from_boot};
pub use discovery::{Finder, Gateway, Peer, Peers, StateManager};
pub use http::{AGENT, HttpClient};
pub use jobs::{JobsClient, PlatformError};
pub use tls::config as tls_config;
