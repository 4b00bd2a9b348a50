use schemars::JsonSchema;
use serde::Serialize;

use super::ShownEndpoint;

/// `flash app list`
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub(crate) struct AppList {
    /// The apps of the account.
    pub(crate) apps: Vec<ListedApp>,
}

/// An app in a list.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub(crate) struct ListedApp {
    /// Its name.
    pub(crate) name: String,
    /// Its id.
    pub(crate) id: String,
    /// Names of its environments.
    pub(crate) environments: Vec<String>,
    /// How many builds the platform keeps of it.
    pub(crate) builds: usize,
}

/// `flash app delete`
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub(crate) struct AppDeleted {
    /// The app's name.
    pub(crate) deleted: String,
    /// Its id.
    pub(crate) id: String,
}

/// `flash deploy new`
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub(crate) struct EnvironmentMade {
    /// The app.
    pub(crate) app: String,
    /// Its id.
    pub(crate) app_id: String,
    /// The environment.
    pub(crate) environment: String,
    /// Its id.
    pub(crate) environment_id: String,
}

/// `flash env list` and `flash deploy list`
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub(crate) struct EnvironmentList {
    /// The app.
    pub(crate) app: String,
    /// Its environments.
    pub(crate) environments: Vec<ListedEnvironment>,
}

/// An environment in a list.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub(crate) struct ListedEnvironment {
    /// Its name.
    pub(crate) name: String,
    /// Its id; none where it runs images, of which the platform keeps no record.
    pub(crate) id: Option<String>,
    /// The build that its workers run.
    pub(crate) active_build: Option<String>,
    /// When it was created.
    pub(crate) created_at: Option<String>,
    /// When it goes away again, where it is a temporary one (RFC 3339).
    pub(crate) leased_until: Option<String>,
    /// Whether its endpoints run images with the app in them, instead of a build.
    pub(crate) runs_images: bool,
}

/// `flash env info` and `flash deploy info`
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub(crate) struct EnvironmentInfo {
    /// The app.
    pub(crate) app: String,
    /// The environment.
    pub(crate) environment: String,
    /// Its id; none where it runs images, of which the platform keeps no record.
    pub(crate) id: Option<String>,
    /// What the platform says of it.
    pub(crate) state: Option<String>,
    /// The build that its workers run.
    pub(crate) active_build: Option<String>,
    /// When it goes away again, where it is a temporary one (RFC 3339).
    pub(crate) leased_until: Option<String>,
    /// The builds of the app, the youngest last.
    pub(crate) builds: Vec<String>,
    /// Its endpoints.
    pub(crate) endpoints: Vec<ShownEndpoint>,
    /// Names of its network volumes.
    pub(crate) volumes: Vec<String>,
}

/// `flash env delete` and `flash deploy delete`
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub(crate) struct EnvironmentDeleted {
    /// The environment's name.
    pub(crate) deleted: String,
    /// Its id.
    pub(crate) id: String,
    /// How many endpoints went with it.
    pub(crate) endpoints: usize,
}
