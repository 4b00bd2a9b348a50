//! The pipeline of a deployment: plan, apply, verify.

mod address;
mod apply;
mod cost;
mod deployment;
mod desired;
mod drift;
mod finish;
mod from_image;
mod health;
mod image;
mod lease;
mod plan;
mod provision;
mod remove;
mod state;
mod volumes;

pub(crate) use address::address_of;
pub(crate) use apply::{Artifact, Source, apply, artifact_of, ensure_environment, read_manifest, served_in};
pub(crate) use deployment::{Applied, Deployment};
pub(crate) use desired::{Deployer, Identity, Lookup};
pub(crate) use from_image::apply_images;
pub(crate) use image::{record_images, use_images};
pub(crate) use lease::{lease_of, leased_name, leased_until, left_until};
pub(crate) use plan::Action;
pub(crate) use remove::remove;
pub(crate) use state::{State, lock_deployment};
