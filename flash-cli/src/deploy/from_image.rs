use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use flash_core::manifest::{Manifest, ResourceEntry};
use flash_platform::control::{ControlError, EndpointInput, LiveEndpoint, Platform, RunPod};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use super::apply::{ATTEMPTS, Applied, DONE, PROVISION_LIMIT, RESTORED, is_interrupted, track};
use super::cost::{cost_on, is_local};
use super::desired::{Code, Deployer, Identity};
use super::drift::ARTIFACT;
use super::finish::{address_of, remove_rest};
use super::health::Health;
use super::plan::{Action, Plan, choose, plan};
use super::state::{State, lock_deployment};
use super::volumes::{check_volumes, volumes_of};
use crate::cli::HowArgs;
use crate::failure::Failure;
use crate::output::{Output, table};

/// The address of an endpoint that is not there yet, in a plan.
const NOT_YET: &str = "(not created yet)";

/// A deployment of images before it has begun: endpoints by REST v2 alone, without app, environment, build or artifact.
///
/// The platform keeps no record of it. Each endpoint says in its variables which app, environment and resource it is, which
/// settings it has, and where those are that it calls; so every machine that lists them sees the whole deployment.
pub(crate) struct ImageDeployment {
    pub(crate) platform: Arc<RunPod>,
    /// What distinguishes the platform in the state file.
    pub(crate) platform_name: String,
    pub(crate) id: Identity,
    /// What is declared, with the environment's overrides and the images.
    pub(crate) manifest: Manifest,
    pub(crate) deployer: Deployer,
    pub(crate) how: HowArgs,
    /// Prices that the user has agreed on, by hardware.
    pub(crate) prices: BTreeMap<String, f64>,
    pub(crate) output: Output,
    pub(crate) flash_dir: PathBuf,
}

/// What was provisioned.
#[derive(Default)]
struct Provisioned {
    ids: BTreeMap<String, String>,
    addresses: BTreeMap<String, String>,
    created: Vec<String>,
}

/// Plans, and unless it is a dry run or nothing differs, applies and verifies.
pub(crate) async fn apply_images(it: ImageDeployment) -> Result<Applied, Failure> {
    let resources = &it.manifest.resources;
    it.deployer.check(resources)?;
    check_volumes(resources)?;
    let cost = cost_on(&*it.platform, &it.platform_name, &it.prices, resources).await;
    cost.check(it.how.max_hourly)?;
    let _turn = lock_deployment(&it.platform_name, &it.id)?;
    let mut state = State::open(&it.flash_dir)?;
    let live = it.platform.endpoints().await?;
    it.refuse_artifacts(&live)?;
    let there = it.addresses(&live);
    let mut known = there.clone();
    for name in resources.keys() {
        known.entry(name.clone()).or_insert_with(|| NOT_YET.to_owned());
    }
    let inputs = it.inputs(&known, false).await?;
    for input in inputs.values() {
        it.platform.check_from_image(input)?;
    }
    let plan = plan(&it.id, resources, &inputs, None, &live, it.how.keep_removed);
    it.output.note(plan.text().trim_end());
    it.output.note(cost.text(is_local(&it.platform_name)));
    let step = state.scope(&it.platform_name, &it.id).step.clone();
    if it.how.dry_run || (plan.is_empty() && !is_interrupted(step.as_deref())) {
        return Ok(Applied { plan, build: None, endpoints: there, changed: false, cost });
    }
    let changed = !plan.is_empty();
    let mut done = Provisioned { addresses: there, ..Provisioned::default() };
    let applied = it.provision_and_verify(&plan, &mut done, &mut state).await;
    if let Err(failure) = applied {
        it.restore(&plan, &done.created, &mut state).await;
        return Err(failure);
    }
    it.step(&mut state, "remove")?;
    it.finish(&plan, &mut state).await?;
    let declared = |name: &String, _: &mut String| resources.contains_key(name);
    done.addresses.retain(declared);
    Ok(Applied { plan, build: None, endpoints: done.addresses, changed, cost })
}

impl ImageDeployment {
    /// An endpoint that is linked to an environment runs that environment's artifact, whatever its image is, and REST v2 cannot
    /// end that.
    fn refuse_artifacts(&self, live: &[LiveEndpoint]) -> Result<(), Failure> {
        let linked: Vec<&str> = live
            .iter()
            .filter(|endpoint| endpoint.env.contains_key(ARTIFACT))
            .filter_map(LiveEndpoint::identity)
            .filter(|(app, env, _)| (*app, *env) == (self.id.app.as_str(), self.id.env.as_str()))
            .map(|(_, _, resource)| resource)
            .collect();
        if linked.is_empty() {
            return Ok(());
        }
        Err(Failure::new(format!(
            "environment `{}` runs an artifact ({}), and its endpoints cannot be given an image instead",
            self.id.env,
            linked.join(", ")
        ))
        .help(format_args!(
            "name another environment with --env, or remove these first: `flash undeploy --all --env {}`",
            self.id.env
        )))
    }

    /// The addresses of the declared endpoints that exist.
    fn addresses(&self, live: &[LiveEndpoint]) -> BTreeMap<String, String> {
        let mut found = BTreeMap::new();
        for (name, entry) in &self.manifest.resources {
            if let Some(chosen) = choose(entry, None, &self.same(live, name)) {
                found.insert(name.clone(), self.address(chosen, entry));
            }
        }
        found
    }

    fn same<'a>(&self, live: &'a [LiveEndpoint], resource: &str) -> Vec<&'a LiveEndpoint> {
        let wanted = Some((self.id.app.as_str(), self.id.env.as_str(), resource));
        live.iter().filter(|endpoint| endpoint.identity() == wanted).collect()
    }

    fn address(&self, live: &LiveEndpoint, entry: &ResourceEntry) -> String {
        address_of(&self.platform, &self.deployer.lookup, &live.id, entry.is_load_balanced, Some(live))
    }

    /// The endpoints as they should be, where `peers` are these.
    async fn inputs(
        &self,
        peers: &BTreeMap<String, String>,
        create: bool,
    ) -> Result<BTreeMap<String, EndpointInput>, Failure> {
        let functions = self.manifest.rust.as_ref().map_or("", |rust| rust.function_table_sha256.as_str());
        let needs_volumes = self.manifest.resources.values().any(|entry| !entry.network_volumes.is_empty());
        let mut volumes = if needs_volumes { self.platform.volumes().await? } else { Vec::new() };
        let mut inputs = BTreeMap::new();
        for (name, entry) in &self.manifest.resources {
            let base = match &entry.template_id {
                Some(template) => Some(self.platform.template(template).await?),
                None => None,
            };
            let volumes = volumes_of(&*self.platform, entry, &mut volumes, create).await?;
            let code = Code::Image { functions, peers };
            let input = self.deployer.input(&self.id, code, name, entry, base.as_ref(), volumes);
            inputs.insert(name.clone(), input);
        }
        Ok(inputs)
    }

    fn step(&self, state: &mut State, name: &str) -> Result<(), Failure> {
        state.scope(&self.platform_name, &self.id).step = Some(name.to_owned());
        state.save()
    }

    async fn provision_and_verify(
        &self,
        plan: &Plan,
        done: &mut Provisioned,
        state: &mut State,
    ) -> Result<(), Failure> {
        let scope = state.scope(&self.platform_name, &self.id);
        for step in plan.of(Action::Create) {
            scope.intents.insert(step.resource.clone(), self.id.display_name(&step.resource));
        }
        self.step(state, "provision")?;
        let spinner = self.output.spinner("provisioning");
        let all = async {
            for wave in waves(&self.manifest.resources) {
                self.provision(&wave, plan, done, state).await?;
            }
            Ok::<(), Failure>(())
        };
        let ended = tokio::time::timeout(PROVISION_LIMIT, all).await;
        spinner.finish_and_clear();
        ended.unwrap_or_else(|_| {
            Err(Failure::new(format!("provisioning took longer than {} s", PROVISION_LIMIT.as_secs()))
                .help("look at the platform's status, and deploy again: it goes on where this ended"))
        })?;
        self.step(state, "verify")?;
        if self.how.no_verify {
            return Ok(());
        }
        let health = Health {
            platform: self.platform.clone(),
            interval: Duration::from_secs(self.how.health_interval),
        };
        let spinner = self.output.spinner("verifying");
        let verified = health.check_all(&self.manifest.resources, &done.addresses, &done.ids).await;
        spinner.finish_and_clear();
        verified
    }

    /// Creates and updates endpoints of which none calls another, a few at a time.
    async fn provision(
        &self,
        wave: &BTreeSet<&str>,
        plan: &Plan,
        done: &mut Provisioned,
        state: &mut State,
    ) -> Result<(), Failure> {
        // Everybody whom they call has an address by now.
        let inputs = self.inputs(&done.addresses, true).await?;
        let permits = Arc::new(Semaphore::new(usize::from(self.how.parallel)));
        let mut tasks: JoinSet<(String, bool, Result<LiveEndpoint, ControlError>)> = JoinSet::new();
        for step in plan.steps.iter().filter(|step| wave.contains(step.resource.as_str())) {
            let (resource, live) = (step.resource.clone(), step.live.as_ref().map(|live| live.id.clone()));
            match step.action {
                Action::Delete => continue,
                Action::Unchanged => {
                    let live = live.unwrap_or_default();
                    let scope = state.scope(&self.platform_name, &self.id);
                    track(scope, &resource, &self.manifest.resources[&resource], &live);
                    done.ids.insert(resource, live);
                    continue;
                }
                Action::Create | Action::Update => {}
            }
            let Some(input) = inputs.get(&resource).cloned() else { continue };
            let (platform, permits) = (self.platform.clone(), permits.clone());
            let (id, entry) = (self.id.clone(), self.manifest.resources[&resource].clone());
            tasks.spawn(async move {
                // A closed semaphore cannot be: nobody closes it.
                let _permit = permits.acquire_owned().await;
                let saved = provision_one(&*platform, &id, &resource, &entry, live.as_deref(), &input).await;
                (resource, live.is_none(), saved)
            });
        }
        let mut failed: Vec<Vec<String>> = Vec::new();
        while let Some(ended) = tasks.join_next().await {
            let Ok((resource, is_new, saved)) = ended else { continue };
            match saved {
                Ok(saved) => {
                    let entry = &self.manifest.resources[&resource];
                    let scope = state.scope(&self.platform_name, &self.id);
                    track(scope, &resource, entry, &saved.id);
                    scope.intents.remove(&resource);
                    if is_new {
                        done.created.push(saved.id.clone());
                    }
                    state.save()?;
                    let what = if is_new { "created" } else { "updated" };
                    self.output.note(format_args!("  {what} {resource} ({})", saved.id));
                    done.addresses.insert(resource.clone(), self.address(&saved, entry));
                    done.ids.insert(resource, saved.id);
                }
                Err(error) => failed.push(vec![resource, error.to_string()]),
            }
        }
        if failed.is_empty() {
            return Ok(());
        }
        Err(Failure::new(format!(
            "not all endpoints could be provisioned\n{}",
            table(&["ENDPOINT", "REASON"], &failed).trim_end()
        ))
        .help("deploy again when the cause is gone: it goes on where this ended"))
    }

    /// Makes everything as it was before. What does not succeed is told; the next deployment finds it.
    async fn restore(&self, plan: &Plan, created: &[String], state: &mut State) {
        self.output.note("restoring what was before");
        let mut left = Vec::new();
        for step in plan.of(Action::Update) {
            let Some(live) = &step.live else { continue };
            if let Err(error) = self.platform.restore_from_image(live).await {
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

    /// Removes what is no longer declared.
    async fn finish(&self, plan: &Plan, state: &mut State) -> Result<(), Failure> {
        let name = (self.platform_name.as_str(), &self.id);
        let resources = &self.manifest.resources;
        let left = remove_rest(&*self.platform, name, resources, plan, state, self.output).await?;
        if !left.is_empty() {
            return Err(Failure::new(format!(
                "the images run, and some endpoints that are no longer declared could not be removed\n{}",
                table(&["ENDPOINT", "ID", "REASON"], &left).trim_end()
            ))
            .help("deploy again: it goes on with what is left"));
        }
        let scope = state.scope(&self.platform_name, &self.id);
        scope.intents.clear();
        scope.step = Some(DONE.to_owned());
        state.save()
    }
}

/// Saves one endpoint. A creation whose answer was lost is looked for before it is tried again, so it never makes two.
async fn provision_one(
    platform: &dyn Platform,
    id: &Identity,
    resource: &str,
    entry: &ResourceEntry,
    live: Option<&str>,
    input: &EndpointInput,
) -> Result<LiveEndpoint, ControlError> {
    if let Some(live) = live {
        return platform.update_from_image(live, input).await;
    }
    let mut tried = 0;
    loop {
        tried += 1;
        let error = match platform.create_from_image(input).await {
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
            return platform.update_from_image(&found.id, input).await;
        }
    }
}

/// Endpoints in the order in which they can be told whom they call: those that call nobody come first. Circles do not get
/// here, because no app with one is built.
fn waves(resources: &BTreeMap<String, ResourceEntry>) -> Vec<BTreeSet<&str>> {
    let mut left: BTreeSet<&str> = resources.keys().map(String::as_str).collect();
    let mut waves = Vec::new();
    while !left.is_empty() {
        let ready: BTreeSet<&str> = left
            .iter()
            .copied()
            .filter(|name| !resources[*name].remote_calls.iter().any(|callee| left.contains(callee.as_str())))
            .collect();
        let wave = if ready.is_empty() { left.clone() } else { ready };
        left.retain(|name| !wave.contains(name));
        waves.push(wave);
    }
    waves
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_calls_comes_after_whom_it_calls() {
        let json = "{\"resources\": {\"api\": {\"remote_calls\": [\"words\", \"images\"]}, \"words\": {\"remote_calls\": [\"base\"]}, \
                    \"images\": {}, \"base\": {}}}";
        let resources = Manifest::from_json(json).unwrap().resources;
        let expected = [&["base", "images"][..], &["words"], &["api"]];
        assert_eq!(waves(&resources), expected.map(|names| names.iter().copied().collect()));
    }
}
