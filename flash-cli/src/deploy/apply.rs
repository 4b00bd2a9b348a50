use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use flash_core::manifest::{Manifest, ResourceEntry};
use flash_platform::control::{
    App, ControlError, EndpointInput, Environment, LiveEndpoint, Platform, RunPod, SavedEndpoint,
};
use serde_json::Value;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use super::cost::{cost_on, is_local};
use super::desired::{Code, Deployer, Identity};
use super::drift::{ARTIFACT, config_hash};
use super::finish::{address_of, remove_rest};
use super::health::Health;
use super::plan::{Action, Plan, Step, choose, plan};
use super::remove::store_manifest;
use super::state::{State, Tracked, lock_deployment};
use super::volumes::{check_volumes, volumes_of};
use crate::cli::HowArgs;
use crate::failure::{During, Failure, exit};
use crate::output::{Output, table};
use crate::report::{self, Cost};

/// All endpoints together may take this long.
pub(super) const PROVISION_LIMIT: Duration = Duration::from_secs(600);
/// How often one endpoint is tried.
pub(super) const ATTEMPTS: u32 = 3;
/// The last steps of a deployment; after any other one it was interrupted.
pub(super) const DONE: &str = "done";
pub(super) const RESTORED: &str = "restored";

/// What is deployed.
#[derive(Debug, Clone)]
pub(crate) enum Source {
    /// An artifact of this machine.
    Artifact(PathBuf),
    /// A build that the platform has.
    Build(String),
}

/// A deployment before it has begun.
pub(crate) struct Deployment {
    pub(crate) platform: Arc<RunPod>,
    /// What distinguishes the platform in the state file.
    pub(crate) platform_name: String,
    pub(crate) id: Identity,
    /// What is declared, with the environment's overrides.
    pub(crate) manifest: Manifest,
    pub(crate) sha256: String,
    pub(crate) source: Source,
    pub(crate) deployer: Deployer,
    pub(crate) how: HowArgs,
    /// Prices that the user has agreed on, by hardware.
    pub(crate) prices: BTreeMap<String, f64>,
    pub(crate) output: Output,
    pub(crate) flash_dir: PathBuf,
}

/// What a deployment did.
#[derive(Debug, Clone)]
pub(crate) struct Applied {
    pub(crate) plan: Plan,
    pub(crate) build: Option<String>,
    /// Addresses by resource.
    pub(crate) endpoints: BTreeMap<String, String>,
    pub(crate) changed: bool,
    pub(crate) cost: Cost,
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

/// Plans, and unless it is a dry run or nothing differs, applies and verifies.
pub(crate) async fn apply(deployment: Deployment) -> Result<Applied, Failure> {
    deployment.deployer.check(&deployment.manifest.resources)?;
    check_volumes(&deployment.manifest.resources)?;
    let cost = cost_on(
        &*deployment.platform,
        &deployment.platform_name,
        &deployment.prices,
        &deployment.manifest.resources,
    )
    .await;
    // Before anybody waits for a lock or looks at what there is.
    cost.check(deployment.how.max_hourly)?;
    let _turn = lock_deployment(&deployment.platform_name, &deployment.id)?;
    let mut state = State::open(&deployment.flash_dir)?;
    let step = state.scope(&deployment.platform_name, &deployment.id).step.clone();
    let before = deployment.look(is_interrupted(step.as_deref())).await?;
    let inputs =
        deployment.inputs(before.environment.as_ref().map_or("", |env| env.id.as_str()), false).await?;
    let plan = deployment.plan(&before, &inputs);
    let output = deployment.output;
    output.note(plan.text().trim_end());
    output.note(cost.text(is_local(&deployment.platform_name)));
    let active_sha = before.active.as_ref().and_then(artifact_of);
    let is_complete = |manifest: &Manifest| {
        deployment.manifest.resources.keys().all(|name| manifest.resources_endpoints.contains_key(name))
    };
    let nothing = plan.is_empty()
        && active_sha.as_deref() == Some(deployment.sha256.as_str())
        && before.active.as_ref().is_some_and(is_complete);
    if deployment.how.dry_run || nothing {
        let endpoints =
            before.active.as_ref().map(|manifest| manifest.resources_endpoints.clone()).unwrap_or_default();
        if !deployment.how.dry_run {
            deployment.complete(&before, &plan, &endpoints, &mut state).await?;
        }
        let build = before.environment.and_then(|environment| environment.active_build_id);
        return Ok(Applied { plan, build, endpoints, changed: false, cost });
    }
    deployment.carry_out(before, plan, &mut state, cost).await
}

/// The artifact of a build, which its stored manifest names.
pub(crate) fn artifact_of(manifest: &Manifest) -> Option<String> {
    Some(manifest.rust.as_ref()?.extra.get("artifact_sha256")?.as_str()?.to_owned())
}

impl Deployment {
    async fn look(&self, was_interrupted: bool) -> Result<Before, Failure> {
        let app = self.platform.app(&self.id.app).await?;
        let environment = match &app {
            Some(app) => self.platform.environment(&app.id, &self.id.env).await?,
            None => None,
        };
        let build = environment.as_ref().and_then(|environment| environment.active_build_id.clone());
        let active = match &build {
            Some(build) => read_manifest(&*self.platform, build).await?,
            None => None,
        };
        let live = self.platform.endpoints().await?;
        Ok(Before { was_interrupted, app, environment, active, live })
    }

    fn plan(&self, before: &Before, inputs: &BTreeMap<String, EndpointInput>) -> Plan {
        let keep = self.how.keep_removed;
        plan(&self.id, &self.manifest.resources, inputs, before.active.as_ref(), &before.live, keep)
    }

    /// The endpoints as they should be.
    async fn inputs(
        &self,
        environment: &str,
        create: bool,
    ) -> Result<BTreeMap<String, EndpointInput>, Failure> {
        let mut inputs = BTreeMap::new();
        let needs_volumes = self.manifest.resources.values().any(|entry| !entry.network_volumes.is_empty());
        let mut known = if needs_volumes { self.platform.volumes().await? } else { Vec::new() };
        for (name, entry) in &self.manifest.resources {
            let volumes = volumes_of(&*self.platform, entry, &mut known, create).await?;
            let base = match &entry.template_id {
                Some(template) => Some(self.platform.template(template).await?),
                None => None,
            };
            let code = Code::Artifact { environment, sha256: &self.sha256 };
            let input = self.deployer.input(&self.id, code, name, entry, base.as_ref(), volumes);
            inputs.insert(name.clone(), input);
        }
        Ok(inputs)
    }

    /// A deployment that was interrupted when all was in place has not been verified yet.
    async fn complete(
        &self,
        before: &Before,
        plan: &Plan,
        endpoints: &BTreeMap<String, String>,
        state: &mut State,
    ) -> Result<(), Failure> {
        let step = state.scope(&self.platform_name, &self.id).step.clone();
        if !is_interrupted(step.as_deref()) {
            return Ok(());
        }
        if !self.how.no_verify {
            let ids: BTreeMap<String, String> = plan
                .of(Action::Unchanged)
                .filter_map(|step| Some((step.resource.clone(), step.live.as_ref()?.id.clone())))
                .collect();
            self.verify(endpoints, &ids).await?;
        }
        let build =
            before.environment.as_ref().and_then(|environment| environment.active_build_id.as_deref());
        self.finish(plan, build.unwrap_or_default(), state).await
    }

    async fn carry_out(
        &self,
        before: Before,
        plan: Plan,
        state: &mut State,
        cost: Cost,
    ) -> Result<Applied, Failure> {
        let (app, environment) = self.ensure(&before, state).await?;
        self.step(state, "upload")?;
        let build = self.build(&app, &before, state).await?;
        let inputs = self.inputs(&environment.id, true).await?;

        self.step(state, "provision")?;
        let provisioned = self.provision(&plan, &inputs, state).await;
        let (ids, created) = match provisioned {
            Ok(done) => done,
            Err((failure, created)) => {
                self.restore(&before, &environment, &plan, &created, state).await;
                return Err(failure);
            }
        };
        match self.go_live(&before, &environment, &build, &ids, state).await {
            Ok(endpoints) => {
                self.step(state, "remove")?;
                self.finish(&plan, &build, state).await?;
                Ok(Applied { plan, build: Some(build), endpoints, changed: true, cost })
            }
            Err(failure) => {
                self.restore(&before, &environment, &plan, &created, state).await;
                Err(failure)
            }
        }
    }

    fn step(&self, state: &mut State, name: &str) -> Result<(), Failure> {
        state.scope(&self.platform_name, &self.id).step = Some(name.to_owned());
        state.save()
    }

    /// The app and the environment, made where they are missing.
    async fn ensure(&self, before: &Before, state: &mut State) -> Result<(App, Environment), Failure> {
        self.step(state, "environment")?;
        ensure_environment(&*self.platform, &self.id, before.app.clone(), before.environment.clone()).await
    }

    /// The build's id. An artifact that the platform has already, from this deployment or from an interrupted one, is not
    /// uploaded again.
    async fn build(&self, app: &App, before: &Before, state: &mut State) -> Result<String, Failure> {
        let path = match &self.source {
            Source::Build(id) => return Ok(id.clone()),
            Source::Artifact(path) => path,
        };
        let active = before.environment.as_ref().and_then(|environment| environment.active_build_id.clone());
        let same = before.active.as_ref().and_then(artifact_of).as_deref() == Some(self.sha256.as_str());
        let scope = state.scope(&self.platform_name, &self.id);
        let uploaded = scope.uploads.get(&self.sha256).cloned();
        // Killed between the upload and its note here: it is one of the youngest.
        let youngest = if before.was_interrupted { youngest(app, before) } else { Vec::new() };
        for build in uploaded.into_iter().chain(active.filter(|_| same)).chain(youngest) {
            if let Some(manifest) = read_manifest(&*self.platform, &build).await?
                && artifact_of(&manifest).as_deref() == Some(self.sha256.as_str())
            {
                self.remember_upload(&build, state)?;
                return Ok(build);
            }
        }
        let bar = self.output.bytes_bar("uploading");
        let progress = |sent: u64, of: u64| {
            bar.set_length(of);
            bar.set_position(sent);
        };
        let manifest =
            serde_json::to_value(self.stored_manifest()).during("the manifest cannot be written")?;
        let build = self.platform.upload(&app.id, path, manifest, &progress).await;
        bar.finish_and_clear();
        let build = build?;
        self.remember_upload(&build, state)?;
        Ok(build)
    }

    /// One is enough: older artifacts are found through their builds.
    fn remember_upload(&self, build: &str, state: &mut State) -> Result<(), Failure> {
        let scope = state.scope(&self.platform_name, &self.id);
        scope.uploads = [(self.sha256.clone(), build.to_owned())].into();
        state.save()
    }

    /// The manifest as the State Manager keeps it: with what a packed one cannot know.
    fn stored_manifest(&self) -> Manifest {
        let mut manifest = self.manifest.clone();
        manifest.generated_at = Some(jiff::Timestamp::now().to_string());
        let rust = manifest.rust.get_or_insert_default();
        rust.extra.insert("artifact_sha256".to_owned(), Value::from(self.sha256.as_str()));
        manifest
    }

    /// Creates and updates endpoints, a few at a time. Gives the ids of all declared endpoints and of those that are new.
    #[allow(clippy::type_complexity, reason = "what was created is needed in both cases, and nowhere else")]
    async fn provision(
        &self,
        plan: &Plan,
        inputs: &BTreeMap<String, EndpointInput>,
        state: &mut State,
    ) -> Result<(BTreeMap<String, String>, Vec<String>), (Failure, Vec<String>)> {
        let mut ids = BTreeMap::new();
        let mut created = Vec::new();
        let scope = state.scope(&self.platform_name, &self.id);
        for step in plan.of(Action::Create) {
            scope.intents.insert(step.resource.clone(), self.id.display_name(&step.resource));
        }
        for step in plan.of(Action::Unchanged) {
            let id = step.live.as_ref().map(|live| live.id.clone()).unwrap_or_default();
            track(scope, &step.resource, &self.manifest.resources[&step.resource], &id);
            ids.insert(step.resource.clone(), id);
        }
        state.save().map_err(|failure| (failure, Vec::new()))?;

        let permits = Arc::new(Semaphore::new(usize::from(self.how.parallel)));
        let mut tasks: JoinSet<(String, bool, Result<SavedEndpoint, ControlError>)> = JoinSet::new();
        for step in plan.of(Action::Create).chain(plan.of(Action::Update)) {
            let Some(input) = inputs.get(&step.resource).cloned() else { continue };
            let (platform, permits) = (self.platform.clone(), permits.clone());
            let (resource, live) = (step.resource.clone(), step.live.as_ref().map(|live| live.id.clone()));
            let entry = self.manifest.resources[&step.resource].clone();
            let id = self.id.clone();
            tasks.spawn(async move {
                // A closed semaphore cannot be: nobody closes it.
                let _permit = permits.acquire_owned().await;
                let saved = provision_one(&*platform, &id, &resource, &entry, live.as_deref(), &input).await;
                (resource, live.is_none(), saved)
            });
        }
        let spinner = self.output.spinner("provisioning");
        let mut failed: BTreeMap<String, String> = BTreeMap::new();
        let all = async {
            while let Some(done) = tasks.join_next().await {
                let Ok((resource, is_new, saved)) = done else { continue };
                match saved {
                    Ok(saved) => {
                        let scope = state.scope(&self.platform_name, &self.id);
                        track(scope, &resource, &self.manifest.resources[&resource], &saved.id);
                        scope.intents.remove(&resource);
                        state.save()?;
                        if is_new {
                            created.push(saved.id.clone());
                        }
                        self.output.note(format_args!(
                            "  {} {resource} ({})",
                            if is_new { "created" } else { "updated" },
                            saved.id
                        ));
                        ids.insert(resource, saved.id);
                    }
                    Err(error) => {
                        failed.insert(resource, error.to_string());
                    }
                }
            }
            Ok::<(), Failure>(())
        };
        let ended = tokio::time::timeout(PROVISION_LIMIT, all).await;
        spinner.finish_and_clear();
        let failure = match ended {
            Ok(Ok(())) if failed.is_empty() => return Ok((ids, created)),
            Ok(Ok(())) => {
                let rows: Vec<Vec<String>> = self
                    .manifest
                    .resources
                    .keys()
                    .map(|name| {
                        let id = ids.get(name).cloned().unwrap_or_default();
                        let what = failed.get(name).cloned().unwrap_or_else(|| "saved".to_owned());
                        vec![name.clone(), id, what]
                    })
                    .collect();
                Failure::new(format!(
                    "not all endpoints could be provisioned\n{}",
                    table(&["ENDPOINT", "ID", "STATE"], &rows).trim_end()
                ))
                .help("deploy again when the cause is gone: it goes on where this ended")
            }
            Ok(Err(failure)) => failure,
            Err(_) => Failure::new(format!("provisioning took longer than {} s", PROVISION_LIMIT.as_secs()))
                .help("look at the platform's status, and deploy again: it goes on where this ended"),
        };
        Err((failure, created))
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
        self.step(state, "store")?;
        let endpoints = self.store(build, ids, before).await.map_err(|failure| {
            Failure::of(
                failure.code,
                format!("the deployment failed, and nothing was activated: {}", failure.text),
            )
            .help("the previous build goes on running; deploy again when the State Manager answers")
        })?;
        self.step(state, "activate")?;
        self.platform.activate(&environment.id, build).await?;
        let now = self.platform.environment(&self.app_id(before).await?, &self.id.env).await?;
        let active = now.and_then(|environment| environment.active_build_id);
        if active.as_deref() != Some(build) {
            return Err(Failure::of(
                exit::UNVERIFIED,
                format!("build {build} was activated, and {} is active now: somebody else deployed at the same time", active.unwrap_or_default()),
            )
            .help("agree on who deploys, and deploy again"));
        }
        self.step(state, "verify")?;
        if !self.how.no_verify {
            self.verify(&endpoints, ids).await?;
        }
        Ok(endpoints)
    }

    async fn app_id(&self, before: &Before) -> Result<String, Failure> {
        match &before.app {
            Some(app) => Ok(app.id.clone()),
            None => Ok(self.platform.app(&self.id.app).await?.map(|app| app.id).unwrap_or_default()),
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
        store_manifest(&*self.platform, build, &json).await?;
        Ok(endpoints)
    }

    /// Where an endpoint is called.
    async fn address(&self, id: &str, is_load_balanced: bool) -> Result<String, Failure> {
        let live = if is_load_balanced { self.platform.endpoint(id).await? } else { None };
        Ok(address_of(&self.platform, &self.deployer.lookup, id, is_load_balanced, live.as_ref()))
    }

    async fn verify(
        &self,
        endpoints: &BTreeMap<String, String>,
        ids: &BTreeMap<String, String>,
    ) -> Result<(), Failure> {
        let health = Health {
            platform: self.platform.clone(),
            interval: Duration::from_secs(self.how.health_interval),
        };
        let spinner = self.output.spinner("verifying");
        let verified = health.check_all(&self.manifest.resources, endpoints, ids).await;
        spinner.finish_and_clear();
        verified
    }

    /// Makes everything as it was before: new endpoints are removed, changed ones get their former state, and the former
    /// build is active. What does not succeed is told; `flash gc` and the next deployment find it.
    async fn restore(
        &self,
        before: &Before,
        environment: &Environment,
        plan: &Plan,
        created: &[String],
        state: &mut State,
    ) {
        self.output.note("restoring what was before");
        let mut left = Vec::new();
        if let Some(build) =
            before.environment.as_ref().and_then(|environment| environment.active_build_id.as_deref())
            && let Err(error) = self.platform.activate(&environment.id, build).await
        {
            left.push(format!("build {build} is not active again: {error}"));
        }
        for step in plan.of(Action::Update) {
            if let Err(error) = self.restore_endpoint(before, environment, step).await {
                left.push(format!("endpoint `{}` has its new settings: {error}", step.resource));
            }
        }
        for id in created {
            match self.platform.delete_endpoint(id).await {
                Ok(()) => state
                    .scope(&self.platform_name, &self.id)
                    .resources
                    .retain(|_, tracked| tracked.endpoint_id != *id),
                Err(error) => left.push(format!("endpoint {id} is there: {error}")),
            }
        }
        state.scope(&self.platform_name, &self.id).step = Some(RESTORED.to_owned());
        if let Err(failure) = state.save() {
            left.push(failure.text);
        }
        for text in left {
            self.output.warn(text);
        }
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
        let mut input = self.deployer.input(&self.id, code, &step.resource, entry, None, volumes.collect());
        // What was there, secrets of the time included.
        input.template.env.clone_from(&live.env);
        if let Some(image) = &live.image {
            input.template.image.clone_from(image);
        }
        self.platform.update_endpoint(&live.id, &input).await.map(drop)
    }

    /// Removes what is no longer declared.
    async fn finish(&self, plan: &Plan, build: &str, state: &mut State) -> Result<(), Failure> {
        let name = (self.platform_name.as_str(), &self.id);
        let resources = &self.manifest.resources;
        let left = remove_rest(&*self.platform, name, resources, plan, state, self.output).await?;
        if !left.is_empty() {
            return Err(Failure::new(format!(
                "build {build} is active, and some endpoints that are no longer declared could not be removed\n{}",
                table(&["ENDPOINT", "ID", "REASON"], &left).trim_end()
            ))
            .help(format_args!("run `flash gc --env {}`, or deploy again", self.id.env)));
        }
        let scope = state.scope(&self.platform_name, &self.id);
        scope.intents.clear();
        scope.step = Some(DONE.to_owned());
        state.save()
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

/// Whether the last deployment from here ended before its end.
pub(super) fn is_interrupted(step: Option<&str>) -> bool {
    step.is_some_and(|step| step != DONE && step != RESTORED)
}

pub(super) fn track(scope: &mut super::state::Scope, resource: &str, entry: &ResourceEntry, id: &str) {
    let kind = if entry.is_load_balanced { "LB" } else { "QB" }.to_owned();
    let tracked = Tracked { endpoint_id: id.to_owned(), kind, config_hash: config_hash(entry) };
    scope.resources.insert(resource.to_owned(), tracked);
}

/// Saves one endpoint. A creation whose answer was lost is looked for before it is tried again, so it never makes two.
async fn provision_one(
    platform: &dyn Platform,
    id: &Identity,
    resource: &str,
    entry: &ResourceEntry,
    live: Option<&str>,
    input: &EndpointInput,
) -> Result<SavedEndpoint, ControlError> {
    if let Some(live) = live {
        return platform.update_endpoint(live, input).await;
    }
    let mut tried = 0;
    loop {
        tried += 1;
        let error = match platform.create_endpoint(input).await {
            Ok(saved) => return Ok(saved),
            Err(error) => error,
        };
        if tried >= ATTEMPTS || !error.is_ambiguous() {
            return Err(error);
        }
        let all = platform.endpoints().await?;
        let same: Vec<&LiveEndpoint> =
            all.iter().filter(|endpoint| endpoint.identity() == Some((&id.app, &id.env, resource))).collect();
        if let Some(found) = choose(entry, None, &same) {
            return platform.update_endpoint(&found.id, input).await;
        }
    }
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

/// For programs.
impl Applied {
    pub(crate) fn document(&self, id: &Identity) -> report::Deployed {
        report::Deployed {
            app: id.app.clone(),
            environment: id.env.clone(),
            build: self.build.clone(),
            changed: self.changed,
            plan: self.plan.document(),
            endpoints: self.endpoints.clone(),
            cost: self.cost.clone(),
            temporary: None,
        }
    }
}
