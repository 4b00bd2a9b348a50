use std::collections::BTreeSet;
use std::sync::Arc;

use flash_core::manifest::Manifest;
use flash_platform::control::{App, Environment, LiveEndpoint, Platform, RunPod};

use crate::build::kept_manifest;
use crate::cli::{TargetArgs, Where};
use crate::connect::{Connection, connect};
use crate::deploy::{Deployer, Identity, Lookup, address_of, read_manifest};
use crate::failure::Failure;
use crate::project::Project;

/// An environment of an app on a platform, as most commands need it.
pub(super) struct Context {
    pub(super) platform: Arc<RunPod>,
    pub(super) name: String,
    pub(super) id: Identity,
    pub(super) app: Option<App>,
    pub(super) environment: Option<Environment>,
    /// Whether its endpoints run images, so that no record of it exists but they themselves.
    pub(super) is_image: bool,
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

/// The environment: the named one, the only one of an app, or `production`.
pub(super) fn environment_of(asked: Option<&str>, app: &str, there: Option<&App>) -> Result<String, Failure> {
    let known = there.iter().flat_map(|there| there.environments.iter().map(|env| env.name.as_str()));
    environment_name(asked, app, known)
}

/// The environment: the named one, the only one of these, or `production`.
pub(super) fn environment_name<'a>(
    asked: Option<&str>,
    app: &str,
    known: impl IntoIterator<Item = &'a str>,
) -> Result<String, Failure> {
    if let Some(name) = asked.filter(|name| !name.trim().is_empty()) {
        return Ok(name.to_owned());
    }
    let names: BTreeSet<&str> = known.into_iter().collect();
    let mut all = names.iter();
    match (all.next(), all.next()) {
        (None, _) => Ok(DEFAULT.to_owned()),
        (Some(only), None) => Ok((*only).to_owned()),
        _ => Err(Failure::of(
            crate::exit::USAGE,
            format!(
                "app `{app}` has several environments: {}",
                names.into_iter().collect::<Vec<_>>().join(", ")
            ),
        )
        .help("name one with --env")),
    }
}

/// The environments of an app whose endpoints run images. Only the endpoints themselves know of them.
pub(super) fn environments_of_images(app: &str, live: &[LiveEndpoint]) -> BTreeSet<String> {
    live.iter()
        .filter(|endpoint| endpoint.is_of_image())
        .filter_map(LiveEndpoint::identity)
        .filter(|(of_app, _, _)| *of_app == app)
        .map(|(_, env, _)| env.to_owned())
        .collect()
}

impl Context {
    /// Connects and looks.
    pub(super) async fn open(target: &TargetArgs, to: Option<Where>) -> Result<Self, Failure> {
        let connection = connect(to)?;
        let app_name = app_name(target.app_name.as_deref())?;
        let platform = Arc::new(connection.platform.clone());
        let images = environments_of_images(&app_name, &platform.endpoints().await?);
        let is_image = |env: &str| images.contains(env);
        // Such an environment is in no record that could be asked.
        let app = match target.env.as_deref() {
            Some(env) if is_image(env) => None,
            _ => match platform.app(&app_name).await {
                Err(_) if target.env.is_none() && !images.is_empty() => None,
                app => app?,
            },
        };
        let known = app.iter().flat_map(|app| app.environments.iter().map(|env| env.name.as_str()));
        let env = environment_name(
            target.env.as_deref(),
            &app_name,
            known.chain(images.iter().map(String::as_str)),
        )?;
        let is_image = is_image(&env);
        let environment = match &app {
            Some(app) if !is_image => platform.environment(&app.id, &env).await?,
            _ => None,
        };
        Ok(Self {
            name: platform_name(&connection),
            platform,
            id: Identity { app: app_name, env },
            app,
            environment,
            is_image,
        })
    }

    /// The environment, which must exist.
    pub(super) fn environment(&self) -> Result<&Environment, Failure> {
        if self.is_image {
            return Err(Failure::new(format!(
                "environment `{}` runs images, and the platform keeps no record of it",
                self.id.env
            ))
            .help(format_args!("`flash undeploy --all --env {}` removes all of it", self.id.env)));
        }
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

    /// The manifest of the active build. Of images there is none; this checkout's, if it has one, with the addresses of the
    /// endpoints, takes its place.
    pub(super) async fn active_manifest(&self) -> Result<Option<Manifest>, Failure> {
        if self.is_image {
            return self.manifest_of_images().await.map(Some);
        }
        match self.environment.as_ref().and_then(|environment| environment.active_build_id.as_deref()) {
            Some(build) => read_manifest(&*self.platform, build).await,
            None => Ok(None),
        }
    }

    async fn manifest_of_images(&self) -> Result<Manifest, Failure> {
        let project = Project::find(None).ok().filter(|project| project.app() == self.id.app);
        let kept = project.map(|project| kept_manifest(&project)).transpose()?.flatten();
        let mut manifest = kept.unwrap_or_default();
        let lookup: Lookup = Arc::new(|name| std::env::var(name).ok());
        for endpoint in self.endpoints().await? {
            let Some((_, _, resource)) = endpoint.identity() else { continue };
            let is_http = endpoint.is_load_balanced();
            let url = address_of(&self.platform, &lookup, &endpoint.id, is_http, Some(&endpoint));
            if let Some(entry) = manifest.resources.get_mut(resource) {
                entry.endpoint_id = Some(endpoint.id.clone());
                entry.endpoint_url = Some(url.clone());
            }
            manifest.resources_endpoints.insert(resource.to_owned(), url);
        }
        Ok(manifest)
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

    /// Their names and ids.
    pub(super) async fn named_endpoints(&self) -> Result<Vec<(String, String)>, Failure> {
        let endpoints = self.endpoints().await?;
        let named = |endpoint: LiveEndpoint| Some((endpoint.identity()?.2.to_owned(), endpoint.id));
        Ok(endpoints.into_iter().filter_map(named).collect())
    }
}

/// The user of this machine as a deployer.
pub(super) fn deployer(connection: &Connection, require_auth: bool) -> Deployer {
    Deployer { key: connection.key.clone(), lookup: Arc::new(|name| std::env::var(name).ok()), require_auth }
}
