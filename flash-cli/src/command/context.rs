use std::sync::Arc;

use flash_core::manifest::Manifest;
use flash_platform::control::{App, Environment, LiveEndpoint, Platform, RunPod};

use crate::cli::{TargetArgs, Where};
use crate::connect::{Connection, connect};
use crate::deploy::{Deployer, Identity, read_manifest};
use crate::failure::Failure;
use crate::project::Project;

/// An environment of an app on a platform, as most commands need it.
pub(super) struct Context {
    pub(super) platform: Arc<RunPod>,
    pub(super) name: String,
    pub(super) id: Identity,
    pub(super) app: Option<App>,
    pub(super) environment: Option<Environment>,
}

/// The environment that is made when there is none.
const DEFAULT: &str = "production";

/// What distinguishes a platform in files: the local one has another port after each start and is the same.
pub(super) fn platform_name(connection: &Connection) -> String {
    if connection.is_local { "local".to_owned() } else { connection.platform.urls().api.clone() }
}

/// The name of the app: the option, else the package of the current directory.
pub(super) fn app_name(asked: Option<&str>) -> Result<String, Failure> {
    match asked {
        Some(name) => Ok(name.to_owned()),
        None => Project::find(None).map(|project| project.app().to_owned()).map_err(|failure| {
            Failure {
                text: format!(
                    "which app? There is no package here, and no --app-name ({})",
                    failure.text.lines().next().unwrap_or_default()
                ),
                ..failure
            }
            .help("go to the directory of the app, or name it with --app-name")
        }),
    }
}

/// The environment: the named one, the only one, or `production`.
pub(super) fn environment_name(asked: Option<&str>, app: Option<&App>) -> Result<String, Failure> {
    if let Some(name) = asked.filter(|name| !name.trim().is_empty()) {
        return Ok(name.to_owned());
    }
    let names: Vec<&str> =
        app.map(|app| app.environments.iter().map(|env| env.name.as_str()).collect()).unwrap_or_default();
    match names.as_slice() {
        [] => Ok(DEFAULT.to_owned()),
        [only] => Ok((*only).to_owned()),
        several => Err(Failure::of(
            crate::exit::USAGE,
            format!(
                "app `{}` has several environments: {}",
                app.map_or("", |app| app.name.as_str()),
                several.join(", ")
            ),
        )
        .help("name one with --env")),
    }
}

impl Context {
    /// Connects and looks.
    pub(super) async fn open(target: &TargetArgs, to: Option<Where>) -> Result<Self, Failure> {
        let connection = connect(to)?;
        let app_name = app_name(target.app_name.as_deref())?;
        let platform = Arc::new(connection.platform.clone());
        let app = platform.app(&app_name).await?;
        let env = environment_name(target.env.as_deref(), app.as_ref())?;
        let environment = match &app {
            Some(app) => platform.environment(&app.id, &env).await?,
            None => None,
        };
        Ok(Self {
            name: platform_name(&connection),
            platform,
            id: Identity { app: app_name, env },
            app,
            environment,
        })
    }

    /// The environment, which must exist.
    pub(super) fn environment(&self) -> Result<&Environment, Failure> {
        self.environment.as_ref().ok_or_else(|| {
            let known: Vec<&str> = self
                .app
                .iter()
                .flat_map(|app| app.environments.iter().map(|env| env.name.as_str()))
                .collect();
            let known = if known.is_empty() {
                "it has none".to_owned()
            } else {
                format!("it has {}", known.join(", "))
            };
            Failure::new(format!("app `{}` has no environment `{}`; {known}", self.id.app, self.id.env))
                .help(format_args!("run `flash deploy --env {}`", self.id.env))
        })
    }

    /// The manifest of the active build.
    pub(super) async fn active_manifest(&self) -> Result<Option<Manifest>, Failure> {
        match self.environment.as_ref().and_then(|environment| environment.active_build_id.as_deref()) {
            Some(build) => read_manifest(&*self.platform, build).await,
            None => Ok(None),
        }
    }

    /// The endpoints of this environment.
    pub(super) async fn endpoints(&self) -> Result<Vec<LiveEndpoint>, Failure> {
        let mut all = self.platform.endpoints().await?;
        all.retain(|endpoint| {
            endpoint
                .identity()
                .is_some_and(|(app, env, _)| (app, env) == (self.id.app.as_str(), self.id.env.as_str()))
        });
        all.sort_by(|a, b| (a.identity(), &a.id).cmp(&(b.identity(), &b.id)));
        Ok(all)
    }
}

/// The user of this machine as a deployer.
pub(super) fn deployer(connection: &Connection, require_auth: bool) -> Deployer {
    Deployer { key: connection.key.clone(), lookup: Arc::new(|name| std::env::var(name).ok()), require_auth }
}
