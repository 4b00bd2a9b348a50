//! What the control plane keeps. Each record is one row of its database, as JSON.

mod app;
mod build;
mod endpoint;
mod release;
mod template;
mod volume;

pub(super) use app::{App, Environment};
pub(super) use build::{Build, Upload};
pub(super) use endpoint::{CpuInstance, Endpoint, FlashBoot, Gpu, ScalerOf};
pub(super) use release::{Change, Release};
pub(super) use template::Template;
pub(super) use volume::Volume;

/// One record.
pub(super) trait Record: serde::Serialize + serde::de::DeserializeOwned + Clone {
    /// What its rows are called.
    const KIND: &'static str;

    fn id(&self) -> &str;
}

macro_rules! record {
    ($($type:ty: $kind:literal),+ $(,)?) => {
        $(impl Record for $type {
            const KIND: &'static str = $kind;

            fn id(&self) -> &str {
                &self.id
            }
        })+
    };
}

record! {
    App: "app",
    Environment: "environment",
    Build: "build",
    Upload: "upload",
    Endpoint: "endpoint",
    Template: "template",
    Volume: "volume",
    Release: "release",
}
