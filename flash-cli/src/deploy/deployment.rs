use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use flash_core::manifest::{Manifest, ResourceEntry};
use flash_platform::control::{ControlError, EndpointInput, Platform, RunPod};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use super::cost::{cost_on, is_local};
use super::desired::{Code, Deployer, Identity};
use super::drift::config_hash;
use super::finish::remove_rest;
use super::health::Health;
use super::plan::{Action, Plan, Step};
use super::provision::{Interface, Provisioned, Saved};
use super::state::{Scope, State, Tracked};
use super::volumes::{check_volumes, volumes_of};
use crate::cli::HowArgs;
use crate::failure::Failure;
use crate::output::{Output, table};
use crate::report::{self, Cost};

/// All endpoints together may take this long.
const PROVISION_LIMIT: Duration = Duration::from_secs(600);
/// The last steps of a deployment; after any other one it was interrupted.
const DONE: &str = "done";
const RESTORED: &str = "restored";

/// A deployment before it has begun, and the steps that those of artifacts and of images share.
pub(crate) struct Deployment {
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

impl Deployment {
    /// What can be told before anybody waits for a lock or looks at what there is. Gives what the endpoints cost.
    pub(super) async fn check(&self) -> Result<Cost, Failure> {
        let resources = &self.manifest.resources;
        self.deployer.check(resources)?;
        check_volumes(resources)?;
        let cost = cost_on(&*self.platform, &self.platform_name, &self.prices, resources).await;
        cost.check(self.how.max_hourly)?;
        Ok(cost)
    }

    pub(super) fn show(&self, plan: &Plan, cost: &Cost) {
        self.output.note(plan.text().trim_end());
        self.output.note(cost.text(is_local(&self.platform_name)));
    }

    /// What is kept of this deployment on this machine.
    pub(super) fn scope<'s>(&self, state: &'s mut State) -> &'s mut Scope {
        state.scope(&self.platform_name, &self.id)
    }

    /// Whether the last deployment from here ended before its end.
    pub(super) fn was_interrupted(&self, state: &mut State) -> bool {
        self.scope(state).step.as_deref().is_some_and(|step| step != DONE && step != RESTORED)
    }

    pub(super) fn step(&self, state: &mut State, name: &str) -> Result<(), Failure> {
        self.scope(state).step = Some(name.to_owned());
        state.save()
    }

    /// The endpoints as they should be. Their volumes are made where they are missing, if `create` says so.
    pub(super) async fn inputs(
        &self,
        code: Code<'_>,
        create: bool,
    ) -> Result<BTreeMap<String, EndpointInput>, Failure> {
        let needs_volumes = self.manifest.resources.values().any(|entry| !entry.network_volumes.is_empty());
        let mut known = if needs_volumes { self.platform.volumes().await? } else { Vec::new() };
        let mut inputs = BTreeMap::new();
        for (name, entry) in &self.manifest.resources {
            let volumes = volumes_of(&*self.platform, entry, &mut known, create).await?;
            let base = match &entry.template_id {
                Some(template) => Some(self.platform.template(template).await?),
                None => None,
            };
            let input = self.deployer.input(&self.id, code, name, entry, base.as_ref(), volumes);
            inputs.insert(name.clone(), input);
        }
        Ok(inputs)
    }

    /// Notes what is about to be created, so that it is found whatever happens next.
    pub(super) fn intend(&self, plan: &Plan, state: &mut State) -> Result<(), Failure> {
        let scope = self.scope(state);
        for step in plan.of(Action::Create) {
            scope.intents.insert(step.resource.clone(), self.id.display_name(&step.resource));
        }
        self.step(state, "provision")
    }

    /// Does the provisioning of all endpoints within its time.
    pub(super) async fn in_time(
        &self,
        work: impl Future<Output = Result<(), Failure>>,
    ) -> Result<(), Failure> {
        let spinner = self.output.spinner("provisioning");
        let ended = tokio::time::timeout(PROVISION_LIMIT, work).await;
        spinner.finish_and_clear();
        ended.unwrap_or_else(|_| {
            Err(Failure::new(format!("provisioning took longer than {} s", PROVISION_LIMIT.as_secs()))
                .help("look at the platform's status, and deploy again: it goes on where this ended"))
        })
    }

    /// Creates and updates endpoints, a few at a time, and notes those that are as they should be.
    pub(super) async fn provision(
        &self,
        steps: impl Iterator<Item = &Step>,
        inputs: &BTreeMap<String, EndpointInput>,
        interface: Interface,
        done: &mut Provisioned,
        state: &mut State,
    ) -> Result<(), Failure> {
        let permits = Arc::new(Semaphore::new(usize::from(self.how.parallel)));
        let mut tasks: JoinSet<(String, bool, Result<Saved, ControlError>)> = JoinSet::new();
        for step in steps {
            let (resource, live) = (step.resource.clone(), step.live.as_ref().map(|live| live.id.clone()));
            match step.action {
                Action::Delete => continue,
                Action::Unchanged => {
                    let id = live.unwrap_or_default();
                    self.track(&resource, &id, state)?;
                    done.ids.insert(resource, id);
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
                let saved = interface.save(&*platform, &id, &resource, &entry, live.as_deref(), &input).await;
                (resource, live.is_none(), saved)
            });
        }
        let mut failed: BTreeMap<String, String> = BTreeMap::new();
        while let Some(ended) = tasks.join_next().await {
            let Ok((resource, is_new, saved)) = ended else { continue };
            match saved {
                Ok(saved) => {
                    if is_new {
                        done.created.push(saved.id.clone());
                    }
                    self.track(&resource, &saved.id, state)?;
                    let what = if is_new { "created" } else { "updated" };
                    self.output.note(format_args!("  {what} {resource} ({})", saved.id));
                    done.live.extend(saved.live.map(|live| (resource.clone(), live)));
                    done.ids.insert(resource, saved.id);
                }
                Err(error) => drop(failed.insert(resource, error.to_string())),
            }
        }
        if failed.is_empty() {
            return Ok(());
        }
        let rows: Vec<Vec<String>> = self
            .manifest
            .resources
            .keys()
            .map(|name| {
                let id = done.ids.get(name);
                let what = failed.get(name).map(String::as_str);
                let what = what.unwrap_or(if id.is_some() { "saved" } else { "not tried" });
                vec![name.clone(), id.cloned().unwrap_or_default(), what.to_owned()]
            })
            .collect();
        Err(Failure::new(format!(
            "not all endpoints could be provisioned\n{}",
            table(&["ENDPOINT", "ID", "STATE"], &rows).trim_end()
        ))
        .help("deploy again when the cause is gone: it goes on where this ended"))
    }

    /// Notes which endpoint a resource has.
    fn track(&self, resource: &str, id: &str, state: &mut State) -> Result<(), Failure> {
        let entry: &ResourceEntry = &self.manifest.resources[resource];
        let kind = if entry.is_load_balanced { "LB" } else { "QB" }.to_owned();
        let tracked = Tracked { endpoint_id: id.to_owned(), kind, config_hash: config_hash(entry) };
        let scope = self.scope(state);
        scope.resources.insert(resource.to_owned(), tracked);
        scope.intents.remove(resource);
        state.save()
    }

    pub(super) async fn verify(
        &self,
        addresses: &BTreeMap<String, String>,
        ids: &BTreeMap<String, String>,
    ) -> Result<(), Failure> {
        if self.how.no_verify {
            return Ok(());
        }
        let health = Health {
            platform: self.platform.clone(),
            interval: Duration::from_secs(self.how.health_interval),
        };
        let spinner = self.output.spinner("verifying");
        let verified = health.check_all(&self.manifest.resources, addresses, ids).await;
        spinner.finish_and_clear();
        verified
    }

    /// Ends a restoration: removes endpoints that were created, then the environment if that was, and tells all that is `left`.
    /// `flash gc` and the next deployment find it.
    pub(super) async fn restored(
        &self,
        endpoints: &[String],
        environment: Option<&str>,
        mut left: Vec<String>,
        state: &mut State,
    ) {
        for id in endpoints {
            match self.platform.delete_endpoint(id).await {
                Ok(()) => self.scope(state).resources.retain(|_, tracked| tracked.endpoint_id != *id),
                Err(error) => left.push(format!("endpoint {id} is there: {error}")),
            }
        }
        if let Some(id) = environment.filter(|_| left.is_empty())
            && let Err(error) = self.platform.delete_environment(id).await
        {
            left.push(format!("environment `{}` is there: {error}", self.id.env));
        }
        if let Err(failure) = self.step(state, RESTORED) {
            left.push(failure.text);
        }
        for text in left {
            self.output.warn(text);
        }
    }

    /// Removes what is no longer declared. `runs` is what runs now, should that not succeed.
    pub(super) async fn finish(
        &self,
        plan: &Plan,
        runs: &str,
        help: impl std::fmt::Display,
        state: &mut State,
    ) -> Result<(), Failure> {
        let name = (self.platform_name.as_str(), &self.id);
        let left =
            remove_rest(&*self.platform, name, &self.manifest.resources, plan, state, self.output).await?;
        if !left.is_empty() {
            return Err(Failure::new(format!(
                "{runs}, and some endpoints that are no longer declared could not be removed\n{}",
                table(&["ENDPOINT", "ID", "REASON"], &left).trim_end()
            ))
            .help(help));
        }
        self.scope(state).intents.clear();
        self.step(state, DONE)
    }
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
