use std::path::Path;
use std::pin::Pin;

use serde_json::Value;

use super::error::ControlError;
use super::input::{EndpointInput, TemplateInput};
use super::live::{LiveEndpoint, LiveWorker, LogEvent};
use super::model::{App, Environment, HourlyPrice, NetworkVolume, SavedEndpoint};

/// An answer that is on its way.
pub type Pending<'a, T> = Pin<Box<dyn Future<Output = Result<T, ControlError>> + Send + 'a>>;

/// Hears how many bytes of how many are uploaded.
pub type Progress<'a> = &'a (dyn Fn(u64, u64) + Send + Sync);

/// What a deployment needs of a platform.
///
/// Everything that may be repeated is repeated inside; an error means that it was tried as often as is sensible.
pub trait Platform: Send + Sync {
    /// All apps, with environments and builds.
    fn apps(&self) -> Pending<'_, Vec<App>>;
    /// The app of this name.
    fn app<'a>(&'a self, name: &'a str) -> Pending<'a, Option<App>>;
    /// Creates an app. Only id and name are filled in.
    fn create_app<'a>(&'a self, name: &'a str) -> Pending<'a, App>;
    /// Deletes an app.
    fn delete_app<'a>(&'a self, id: &'a str) -> Pending<'a, ()>;

    /// The environment of this name, with its endpoints.
    fn environment<'a>(&'a self, app: &'a str, name: &'a str) -> Pending<'a, Option<Environment>>;
    /// Creates an environment. Only id and name are filled in.
    fn create_environment<'a>(&'a self, app: &'a str, name: &'a str) -> Pending<'a, Environment>;
    /// Deletes an environment.
    fn delete_environment<'a>(&'a self, id: &'a str) -> Pending<'a, ()>;

    /// Uploads an artifact and stores it with this manifest; gives the build's id.
    fn upload<'a>(
        &'a self,
        app: &'a str,
        artifact: &'a Path,
        manifest: Value,
        progress: Progress<'a>,
    ) -> Pending<'a, String>;
    /// The manifest of a build.
    fn manifest<'a>(&'a self, build: &'a str) -> Pending<'a, Option<Value>>;
    /// Replaces the manifest of a build.
    fn set_manifest<'a>(&'a self, build: &'a str, manifest: Value) -> Pending<'a, ()>;
    /// Makes a build the active one of an environment.
    fn activate<'a>(&'a self, environment: &'a str, build: &'a str) -> Pending<'a, ()>;

    /// All endpoints of the account.
    fn endpoints(&self) -> Pending<'_, Vec<LiveEndpoint>>;
    /// One endpoint.
    fn endpoint<'a>(&'a self, id: &'a str) -> Pending<'a, Option<LiveEndpoint>>;
    /// Creates an endpoint.
    fn create_endpoint<'a>(&'a self, input: &'a EndpointInput) -> Pending<'a, SavedEndpoint>;
    /// Gives an endpoint a new state.
    fn update_endpoint<'a>(&'a self, id: &'a str, input: &'a EndpointInput) -> Pending<'a, SavedEndpoint>;
    /// Whether the platform can run an image on such an endpoint; nothing is asked and nothing changed.
    ///
    /// # Errors
    /// What the platform's interface for images cannot express.
    fn check_from_image(&self, input: &EndpointInput) -> Result<(), ControlError>;
    /// Creates an endpoint that runs an image with the app in it: no environment and no artifact belong to it.
    fn create_from_image<'a>(&'a self, input: &'a EndpointInput) -> Pending<'a, LiveEndpoint>;
    /// Gives such an endpoint a new state.
    fn update_from_image<'a>(&'a self, id: &'a str, input: &'a EndpointInput) -> Pending<'a, LiveEndpoint>;
    /// Gives such an endpoint the state that it had when it was looked at.
    fn restore_from_image<'a>(&'a self, was: &'a LiveEndpoint) -> Pending<'a, ()>;
    /// Deletes an endpoint; one that is gone already is fine.
    fn delete_endpoint<'a>(&'a self, id: &'a str) -> Pending<'a, ()>;
    /// The workers of an endpoint.
    fn workers<'a>(&'a self, endpoint: &'a str) -> Pending<'a, Vec<LiveWorker>>;
    /// The last lines of a worker's log.
    fn logs<'a>(&'a self, endpoint: &'a str, worker: &'a str, tail: u32) -> Pending<'a, Vec<LogEvent>>;

    /// What an existing template of the account starts: image, disk and variables.
    fn template<'a>(&'a self, id: &'a str) -> Pending<'a, TemplateInput>;

    /// What hardware costs now.
    fn prices(&self) -> Pending<'_, Vec<HourlyPrice>>;

    /// All network volumes.
    fn volumes(&self) -> Pending<'_, Vec<NetworkVolume>>;
    /// Creates a network volume.
    fn create_volume<'a>(
        &'a self,
        name: &'a str,
        size_gb: u32,
        data_center: &'a str,
    ) -> Pending<'a, NetworkVolume>;
}
