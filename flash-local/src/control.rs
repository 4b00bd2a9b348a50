//! The control plane: Flash apps, environments, builds, endpoints, templates, network volumes and releases, behind the
//! GraphQL API and REST v2 that RunPod's clients speak (platform contract D).

mod apply;
mod apps;
mod artifacts;
mod book;
mod builds;
mod endpoints;
mod error;
mod garbage;
mod gateway;
mod graphql;
mod id;
mod keys;
mod login;
mod records;
mod rest;
mod service;
mod state;
mod templates;
mod time;
mod volumes;

pub(crate) use apply::applies;
pub use error::ControlError;
pub use graphql::sdl;
pub(crate) use service::{Control, routes};
