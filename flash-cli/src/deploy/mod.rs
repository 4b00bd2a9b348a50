//! The pipeline of a deployment: plan, apply, verify.

mod apply;
mod desired;
mod drift;
mod health;
mod image;
mod plan;
mod remove;
mod state;
mod volumes;

pub(crate) use apply::{Deployment, Source, apply, artifact_of, ensure_environment, read_manifest};
pub(crate) use desired::{Deployer, Identity};
pub(crate) use remove::remove;
pub(crate) use state::{State, lock_deployment};
