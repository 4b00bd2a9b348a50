use std::collections::BTreeMap;
use std::path::PathBuf;

use flash_core::manifest::Manifest;
use flash_platform::control::{App, ControlError, Environment, LiveEndpoint, Platform};
use serde_json::Value;

use super::address::address_of;
use super::deployment::{Applied, Deployment};
use super::desired::{Code, Identity};
use super::drift::{ARTIFACT, config_hash};
use super::plan::{Action, Plan, Step, plan};
use super::provision::{Interface, Provisioned};
use super::remove::store_manifest;
use super::state::{State, lock_deployment};
use crate::build::Built;
use crate::failure::{During, Failure, exit};
use crate::report::Cost;

/// An artifact to deploy.
#[derive(Debug, Clone)]
pub(crate) struct Artifact {
    pub(crate) sha256: String,
    pub(crate) source: Source,
}

impl Artifact {
    /// What was built, and the manifest in it.
    pub(crate) fn of(built: Built) -> (Self, Manifest) {
        (Self { sha256: built.sha256, source: Source::File(built.artifact) }, built.manifest)
    }
}

/// Where an artifact is.
#[derive(Debug, Clone)]
pub(crate) enum Source {
    /// On this machine.
    File(PathBuf),
    /// In a build that the platform has.
    Build(String),
}

/// What there is before anything is done.
struct Before {
    /// Whether the last deployment from here ended before its end.
    was_interrupted: bool,
    app: Option<App>,
    environment: Option<Environment>,
    active: Option<Manifest>,
    live: Vec<LiveEndpoint>,
}

impl Before {
    fn active_build(&self) -> Option<&str> {
        self.environment.as_ref()?.active_build_id.as_deref()
    }
}

/// Plans, and unless it is a dry run or nothing differs, applies and verifies.
pub(crate) async fn apply(deployment: Deployment, artifact: Artifact) -> Result<Applied, Failure> {
    let cost = deployment.check().await?;
    let _turn = lock_deployment(&deployment.platform_name, &deployment.id)?;
    let mut state = State::open(&deployment.flash_dir)?;
    let was_interrupted = deployment.was_interrupted(&mut state);
    let rollout = Rollout { it: deployment, artifact };
    let it = &rollout.it;
    let before = rollout.look(was_interrupted).await?;
    let environment = before.environment.as_ref().map_or("", |environment| environment.id.as_str());
    let inputs = it.inputs(rollout.code(environment), false).await?;
    let resources = &it.manifest.resources;
    let plan = plan(&it.id, resources, &inputs, before.active.as_ref(), &before.live, it.how.keep_removed);
    it.show(&plan, &cost);
    let active_sha = before.active.as_ref().and_then(artifact_of);
    let is_complete =
        |manifest: &Manifest| resources.keys().all(|name| manifest.resources_endpoints.contains_key(name));
    let nothing = plan.is_empty()
        && active_sha.as_deref() == Some(rollout.artifact.sha256.as_str())
        && before.active.as_ref().is_some_and(is_complete);
    if it.how.dry_run || nothing {
        let endpoints =
            before.active.as_ref().map(|manifest| manifest.resources_endpoints.clone()).unwrap_or_default();
        // Somewhere else, where this checkout's notes are not, only the build itself tells that it never came to its end.
        let has_served = before.active.as_ref().and_then(served_in).is_some();
        if !it.how.dry_run && (was_interrupted || !has_served) {
            rollout.complete(&before, &plan, &endpoints, &mut state).await?;
        }
        let build = before.environment.and_then(|environment| environment.active_build_id);
        return Ok(Applied { plan, build, endpoints, changed: false, cost });
    }
    rollout.carry_out(before, plan, &mut state, cost).await
}

/// The artifact of a build, which its stored manifest names.
pub(crate) fn artifact_of(manifest: &Manifest) -> Option<String> {
    Some(manifest.rust.as_ref()?.extra.get("artifact_sha256")?.as_str()?.to_owned())
}

/// The environment that a build served in, which its stored manifest names. A build whose deployment failed served in none.
pub(crate) fn served_in(manifest: &Manifest) -> Option<&str> {
    manifest.rust.as_ref()?.extra.get(SERVED_IN)?.as_str()
}

/// Where a stored manifest says so.
const SERVED_IN: &str = "served_in";

/// A deployment of an artifact: a build of an app, which is the active one of an environment.
struct Rollout {
    it: Deployment,
    artifact: Artifact,
}

impl Rollout {
    fn code<'a>(&'a self, environment: &'a str) -> Code<'a> {
        Code::Artifact { environment, sha256: &self.artifact.sha256 }
    }

    async fn look(&self, was_interrupted: bool) -> Result<Before, Failure> {
        let app = self.it.platform.app(&self.it.id.app).await?;
        let environment = match &app {
            Some(app) => self.it.platform.environment(&app.id, &self.it.id.env).await?,
            None => None,
        };
        let build = environment.as_ref().and_then(|environment| environment.active_build_id.clone());
        let active = match &build {
            Some(build) => read_manifest(&*self.it.platform, build).await?,
            None => None,
        };
        let live = self.it.platform.endpoints().await?;
        Ok(Before { was_interrupted, app, environment, active, live })
    }

    /// A deployment that was interrupted when all was in place has not been verified yet.
    async fn complete(
        &self,
        before: &Before,
        plan: &Plan,
        endpoints: &BTreeMap<String, String>,
        state: &mut State,
    ) -> Result<(), Failure> {
        let ids: BTreeMap<String, String> = plan
            .of(Action::Unchanged)
            .filter_map(|step| Some((step.resource.clone(), step.live.as_ref()?.id.clone())))
            .collect();
        self.it.verify(endpoints, &ids).await?;
        self.finish(plan, before.active_build().unwrap_or_default(), state).await
    }

    async fn carry_out(
        &self,
        before: Before,
        plan: Plan,
        state: &mut State,
        cost: Cost,
    ) -> Result<Applied, Failure> {
        let it = &self.it;
        it.step(state, "environment")?;
        let (app, environment) =
            ensure_environment(&*it.platform, &it.id, before.app.clone(), before.environment.clone()).await?;
        it.step(state, "upload")?;
        let build = self.build(&app, &before, state).await?;
        let inputs = it.inputs(self.code(&environment.id), true).await?;

        it.intend(&plan, state)?;
        let mut done = Provisioned::default();
        let all = it.provision(plan.steps.iter(), &inputs, Interface::GraphQl, &mut done, state);
        let live = match it.in_time(all).await {
            Ok(()) => self.go_live(&before, &environment, &build, &done.ids, state).await,
            Err(failure) => Err(failure),
        };
        match live {
            Ok(endpoints) => {
                it.step(state, "remove")?;
                self.finish(&plan, &build, state).await?;
                Ok(Applied { plan, build: Some(build), endpoints, changed: true, cost })
            }
            Err(failure) => {
                self.restore(&before, &environment, &plan, &done.created, state).await;
                Err(failure)
            }
        }
    }

    /// The build's id. An artifact that the platform has already, from this deployment or from an interrupted one, is not
    /// uploaded again.
    async fn build(&self, app: &App, before: &Before, state: &mut State) -> Result<String, Failure> {
        let path = match &self.artifact.source {
            Source::Build(id) => return Ok(id.clone()),
            Source::File(path) => path,
        };
        let active = before.active_build().map(str::to_owned);
        let same =
            before.active.as_ref().and_then(artifact_of).as_deref() == Some(self.artifact.sha256.as_str());
        let uploaded = self.it.scope(state).uploads.get(&self.artifact.sha256).cloned();
        // Killed between the upload and its note here: it is one of the youngest.
        let youngest = if before.was_interrupted { youngest(app, before) } else { Vec::new() };
        for build in uploaded.into_iter().chain(active.filter(|_| same)).chain(youngest) {
            if let Some(manifest) = read_manifest(&*self.it.platform, &build).await?
                && artifact_of(&manifest).as_deref() == Some(self.artifact.sha256.as_str())
            {
                self.remember_upload(&build, state)?;
                return Ok(build);
            }
        }
        let bar = self.it.output.bytes_bar("uploading");
        let progress = |sent: u64, of: u64| {
            bar.set_length(of);
            bar.set_position(sent);
        };
        let manifest =
            serde_json::to_value(self.stored_manifest()).during("the manifest cannot be written")?;
        let build = self.it.platform.upload(&app.id, path, manifest, &progress).await;
        bar.finish_and_clear();
        let build = build?;
        self.remember_upload(&build, state)?;
        Ok(build)
    }

    /// One is enough: older artifacts are found through their builds.
    fn remember_upload(&self, build: &str, state: &mut State) -> Result<(), Failure> {
        self.it.scope(state).uploads = [(self.artifact.sha256.clone(), build.to_owned())].into();
        state.save()
    }

    /// The manifest as the State Manager keeps it: with what a packed one cannot know.
    fn stored_manifest(&self) -> Manifest {
        let mut manifest = self.it.manifest.clone();
        manifest.generated_at = Some(jiff::Timestamp::now().to_string());
        let rust = manifest.rust.get_or_insert_default();
        rust.extra.insert("artifact_sha256".to_owned(), Value::from(self.artifact.sha256.as_str()));
        manifest
    }

    /// From provisioned endpoints to an active, verified build. Gives the addresses.
    async fn go_live(
        &self,
        before: &Before,
        environment: &Environment,
        build: &str,
        ids: &BTreeMap<String, String>,
        state: &mut State,
    ) -> Result<BTreeMap<String, String>, Failure> {
        self.it.step(state, "store")?;
        let endpoints = self.store(build, ids, before).await.map_err(|failure| {
            Failure::of(
                failure.code,
                format!("the deployment failed, and nothing was activated: {}", failure.text),
            )
            .help("the previous build goes on running; deploy again when the State Manager answers")
        })?;
        self.it.step(state, "activate")?;
        self.it.platform.activate(&environment.id, build).await?;
        let now = self.it.platform.environment(&self.app_id(before).await?, &self.it.id.env).await?;
        let active = now.and_then(|environment| environment.active_build_id);
        if active.as_deref() != Some(build) {
            return Err(Failure::of(
                exit::UNVERIFIED,
                format!("build {build} was activated, and {} is active now: somebody else deployed at the same time", active.unwrap_or_default()),
            )
            .help("agree on who deploys, and deploy again"));
        }
        self.it.step(state, "verify")?;
        self.it.verify(&endpoints, ids).await?;
        Ok(endpoints)
    }

    async fn app_id(&self, before: &Before) -> Result<String, Failure> {
        match &before.app {
            Some(app) => Ok(app.id.clone()),
            None => Ok(self.it.platform.app(&self.it.id.app).await?.map(|app| app.id).unwrap_or_default()),
        }
    }

    /// Completes the manifest of the build and stores it, verified by reading it back.
    async fn store(
        &self,
        build: &str,
        ids: &BTreeMap<String, String>,
        before: &Before,
    ) -> Result<BTreeMap<String, String>, Failure> {
        let mut manifest = self.stored_manifest();
        let old = before.active.as_ref().filter(|_| before.active_build() == Some(build));
        if let Some(env) = old.and_then(served_in) {
            manifest.rust.get_or_insert_default().extra.insert(SERVED_IN.to_owned(), Value::from(env));
        }
        let now = jiff::Timestamp::now().to_string();
        for (name, id) in ids {
            let Some(entry) = manifest.resources.get_mut(name) else { continue };
            let url = self.address(id, entry.is_load_balanced).await?;
            entry.config_hash = Some(config_hash(entry));
            entry.endpoint_id = Some(id.clone());
            entry.endpoint_url = Some(url.clone());
            entry.status = Some("deployed".to_owned());
            let old = before.active.as_ref().and_then(|manifest| manifest.resources.get(name));
            let unchanged = old
                .filter(|old| old.config_hash == entry.config_hash && old.endpoint_id == entry.endpoint_id);
            entry.deployed_at =
                unchanged.and_then(|old| old.deployed_at.clone()).or_else(|| Some(now.clone()));
            manifest.resources_endpoints.insert(name.clone(), url);
        }
        let endpoints = manifest.resources_endpoints.clone();
        let json = serde_json::to_value(&manifest).during("the manifest cannot be written")?;
        store_manifest(&*self.it.platform, build, &json).await?;
        Ok(endpoints)
    }

    /// Notes in the manifest of a build that it serves, so that a rollback finds it.
    async fn served(&self, build: &str) -> Result<(), Failure> {
        let platform = &*self.it.platform;
        let Some(mut manifest) = read_manifest(platform, build).await? else { return Ok(()) };
        let env = Value::from(self.it.id.env.as_str());
        let before = manifest.rust.get_or_insert_default().extra.insert(SERVED_IN.to_owned(), env.clone());
        if before.as_ref() == Some(&env) {
            return Ok(());
        }
        let json = serde_json::to_value(&manifest).during("the manifest cannot be written")?;
        store_manifest(platform, build, &json).await
    }

    /// Where an endpoint is called.
    async fn address(&self, id: &str, is_load_balanced: bool) -> Result<String, Failure> {
        let live = if is_load_balanced { self.it.platform.endpoint(id).await? } else { None };
        Ok(address_of(&self.it.platform, &self.it.deployer.lookup, id, is_load_balanced, live.as_ref()))
    }

    /// Makes everything as it was before: new endpoints and a new environment are removed, changed endpoints get their former
    /// state, and the former build is active. What does not succeed is told; `flash gc` and the next deployment find it.
    async fn restore(
        &self,
        before: &Before,
        environment: &Environment,
        plan: &Plan,
        created: &[String],
        state: &mut State,
    ) {
        self.it.output.note("restoring what was before");
        let mut left = Vec::new();
        if let Some(build) = before.active_build()
            && let Err(error) = self.it.platform.activate(&environment.id, build).await
        {
            left.push(format!("build {build} is not active again: {error}"));
        }
        for step in plan.of(Action::Update) {
            if let Err(error) = self.restore_endpoint(before, environment, step).await {
                left.push(format!("endpoint `{}` has its new settings: {error}", step.resource));
            }
        }
        // Without its endpoints a new environment is empty; it would name a build as active that serves nothing.
        let env = before.environment.is_none().then_some(environment.id.as_str());
        self.it.restored(created, env, left, state).await;
    }

    async fn restore_endpoint(
        &self,
        before: &Before,
        environment: &Environment,
        step: &Step,
    ) -> Result<(), ControlError> {
        let Some(live) = &step.live else { return Ok(()) };
        let Some(entry) = before.active.as_ref().and_then(|manifest| manifest.resources.get(&step.resource))
        else {
            return Ok(());
        };
        let sha256 = live.env.get(ARTIFACT).cloned().unwrap_or_default();
        let volumes = live
            .network_volumes
            .iter()
            .map(|id| flash_platform::control::VolumeRef { network_volume_id: id.clone() });
        let code = Code::Artifact { environment: &environment.id, sha256: &sha256 };
        let mut input =
            self.it.deployer.input(&self.it.id, code, &step.resource, entry, None, volumes.collect());
        // What was there, secrets of the time included.
        input.template.env.clone_from(&live.env);
        if let Some(image) = &live.image {
            input.template.image.clone_from(image);
        }
        self.it.platform.update_endpoint(&live.id, &input).await.map(drop)
    }

    async fn finish(&self, plan: &Plan, build: &str, state: &mut State) -> Result<(), Failure> {
        self.served(build).await?;
        let help = format!("run `flash gc --env {}`, or deploy again", self.it.id.env);
        self.it.finish(plan, &format!("build {build} is active"), help, state).await
    }
}

/// The builds of an app that were made last, the youngest first.
fn youngest(app: &App, before: &Before) -> Vec<String> {
    const LOOKED_AT: usize = 3;
    let Some(app) = before.app.as_ref().filter(|known| known.id == app.id) else { return Vec::new() };
    let mut builds = app.builds.clone();
    builds.sort_by(|a, b| (&b.created_at, &b.id).cmp(&(&a.created_at, &a.id)));
    builds.into_iter().take(LOOKED_AT).map(|build| build.id).collect()
}

/// The app and the environment, made where they are missing. One that appears while it is being made is fine.
pub(crate) async fn ensure_environment(
    platform: &dyn Platform,
    id: &Identity,
    app: Option<App>,
    environment: Option<Environment>,
) -> Result<(App, Environment), Failure> {
    let app = match app {
        Some(app) => app,
        None => match platform.create_app(&id.app).await {
            Ok(app) => app,
            Err(error) => platform.app(&id.app).await?.ok_or(error)?,
        },
    };
    let environment = match environment {
        Some(environment) => environment,
        None => match platform.create_environment(&app.id, &id.env).await {
            Ok(environment) => environment,
            Err(error) => platform.environment(&app.id, &id.env).await?.ok_or(error)?,
        },
    };
    Ok((app, environment))
}

/// The manifest of a build; a build without one, or one that is gone, has none.
pub(crate) async fn read_manifest(platform: &dyn Platform, build: &str) -> Result<Option<Manifest>, Failure> {
    let Some(json) = platform.manifest(build).await? else { return Ok(None) };
    let manifest = Manifest::from_json(&json.to_string())
        .map_err(|error| Failure::new(format!("the stored manifest of build {build} is invalid: {error}")))?;
    Ok(Some(manifest))
}
