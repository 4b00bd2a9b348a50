//! The control plane: apps, environments, builds and manifests (the platform's GraphQL API), endpoints, workers and volumes
//! (REST v2). Only the command `flash` turns this feature on.
//!
//! [`Platform`] is what a deployment needs of a platform; [`RunPod`] is the one that speaks RunPod's APIs, to RunPod or to the
//! local platform. Another platform is another implementation.

mod backoff;
mod error;
mod graphql;
mod input;
mod key;
mod live;
mod model;
mod platform;
mod rest;
mod rest_body;
mod runpod;
mod sender;
mod upload;
mod urls;

pub use backoff::Backoff;
pub use error::ControlError;
pub use graphql::GraphQl;
pub use input::{EndpointInput, TemplateInput, VolumeRef};
pub use key::{ApiKey, KeySource};
pub use live::{ARTIFACT, CONFIG, LiveEndpoint, LiveWorker, LogEvent, WorkersOf};
pub use model::{App, Build, Environment, HourlyPrice, LoginRequest, Named, NetworkVolume, SavedEndpoint};
pub use platform::{Pending, Platform, Progress};
pub use rest::Rest;
pub use runpod::RunPod;
pub use sender::Sender;
pub use urls::Urls;
