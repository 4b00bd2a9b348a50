//! The pipeline of a deployment: plan, apply, verify.

mod apply;
mod cost;
mod desired;
mod drift;
mod health;
mod image;
mod lease;
mod plan;
mod remove;
mod state;
mod volumes;

pub(crate) use apply::{Applied, Deployment, Source, apply, artifact_of, ensure_environment, read_manifest};
pub(crate) use desired::{Deployer, Identity};
pub(crate) use lease::{lease_of, leased_name, leased_until, left_until};
pub(crate) use plan::Action;
pub(crate) use remove::remove;
pub(crate) use state::{State, lock_deployment};
