use std::collections::{BTreeMap, BTreeSet};

use flash_core::manifest::ResourceEntry;
use flash_platform::control::{LiveEndpoint, Platform};

use super::address::address_of;
use super::deployment::{Applied, Deployment};
use super::desired::Code;
use super::drift::ARTIFACT;
use super::plan::{Action, Plan, choose, plan};
use super::provision::{Interface, Provisioned};
use super::state::{State, lock_deployment};
use crate::failure::Failure;

/// The address of an endpoint that is not there yet, in a plan.
const NOT_YET: &str = "(not created yet)";

/// Deploys images: endpoints by REST v2 alone, without app, environment, build or artifact. Plans, and unless it is a dry run or
/// nothing differs, applies and verifies.
///
/// The platform keeps no record of it. Each endpoint says in its variables which app, environment and resource it is, which
/// settings it has, and where those are that it calls; so every machine that lists them sees the whole deployment.
pub(crate) async fn apply_images(deployment: Deployment) -> Result<Applied, Failure> {
    let images = Images(deployment);
    let it = &images.0;
    let resources = &it.manifest.resources;
    let cost = it.check().await?;
    let _turn = lock_deployment(&it.platform_name, &it.id)?;
    let mut state = State::open(&it.flash_dir)?;
    let live = it.platform.endpoints().await?;
    images.refuse_artifacts(&live)?;
    let mut addresses = images.addresses(&live);
    let mut known = addresses.clone();
    for name in resources.keys() {
        known.entry(name.clone()).or_insert_with(|| NOT_YET.to_owned());
    }
    let inputs = it.inputs(images.code(&known), false).await?;
    for input in inputs.values() {
        it.platform.check_from_image(input)?;
    }
    let plan = plan(&it.id, resources, &inputs, None, &live, it.how.keep_removed);
    it.show(&plan, &cost);
    if it.how.dry_run || (plan.is_empty() && !it.was_interrupted(&mut state)) {
        return Ok(Applied { plan, build: None, endpoints: addresses, changed: false, cost });
    }
    let changed = !plan.is_empty();
    let mut done = Provisioned::default();
    let applied = images.provision_and_verify(&plan, &mut addresses, &mut done, &mut state).await;
    if let Err(failure) = applied {
        images.restore(&plan, &done.created, &mut state).await;
        return Err(failure);
    }
    it.step(&mut state, "remove")?;
    it.finish(&plan, "the images run", "deploy again: it goes on with what is left", &mut state).await?;
    Ok(Applied { plan, build: None, endpoints: addresses, changed, cost })
}

/// A deployment of images.
struct Images(Deployment);

impl Images {
    /// An endpoint that is linked to an environment runs that environment's artifact, whatever its image is, and REST v2 cannot
    /// end that.
    fn refuse_artifacts(&self, live: &[LiveEndpoint]) -> Result<(), Failure> {
        let linked: Vec<&str> = live
            .iter()
            .filter(|endpoint| endpoint.env.contains_key(ARTIFACT))
            .filter_map(LiveEndpoint::identity)
            .filter(|(app, env, _)| (*app, *env) == (self.0.id.app.as_str(), self.0.id.env.as_str()))
            .map(|(_, _, resource)| resource)
            .collect();
        if linked.is_empty() {
            return Ok(());
        }
        Err(Failure::new(format!(
            "environment `{}` runs an artifact ({}), and its endpoints cannot be given an image instead",
            self.0.id.env,
            linked.join(", ")
        ))
        .help(format_args!(
            "name another environment with --env, or remove these first: `flash undeploy --all --env {}`",
            self.0.id.env
        )))
    }

    /// The addresses of the declared endpoints that exist.
    fn addresses(&self, live: &[LiveEndpoint]) -> BTreeMap<String, String> {
        let mut found = BTreeMap::new();
        for (name, entry) in &self.0.manifest.resources {
            if let Some(chosen) = choose(entry, None, &self.same(live, name)) {
                found.insert(name.clone(), self.address(chosen, entry));
            }
        }
        found
    }

    fn same<'a>(&self, live: &'a [LiveEndpoint], resource: &str) -> Vec<&'a LiveEndpoint> {
        let wanted = Some((self.0.id.app.as_str(), self.0.id.env.as_str(), resource));
        live.iter().filter(|endpoint| endpoint.identity() == wanted).collect()
    }

    fn address(&self, live: &LiveEndpoint, entry: &ResourceEntry) -> String {
        address_of(&self.0.platform, &self.0.deployer.lookup, &live.id, entry.is_load_balanced, Some(live))
    }

    /// `peers`: the addresses that the endpoints are told.
    fn code<'a>(&'a self, peers: &'a BTreeMap<String, String>) -> Code<'a> {
        let functions = self.0.manifest.rust.as_ref().map_or("", |rust| rust.function_table_sha256.as_str());
        Code::Image { functions, peers }
    }

    async fn provision_and_verify(
        &self,
        plan: &Plan,
        addresses: &mut BTreeMap<String, String>,
        done: &mut Provisioned,
        state: &mut State,
    ) -> Result<(), Failure> {
        let Self(it) = self;
        it.intend(plan, state)?;
        let all = async {
            for wave in waves(&it.manifest.resources) {
                // Everybody whom they call has an address by now.
                let inputs = it.inputs(self.code(addresses), true).await?;
                let steps = plan.steps.iter().filter(|step| wave.contains(step.resource.as_str()));
                it.provision(steps, &inputs, Interface::Rest, done, state).await?;
                for (name, live) in &done.live {
                    addresses.insert(name.clone(), self.address(live, &it.manifest.resources[name]));
                }
            }
            Ok(())
        };
        it.in_time(all).await?;
        it.step(state, "verify")?;
        it.verify(addresses, &done.ids).await
    }

    /// Makes everything as it was before. What does not succeed is told; the next deployment finds it.
    async fn restore(&self, plan: &Plan, created: &[String], state: &mut State) {
        let Self(it) = self;
        it.output.note("restoring what was before");
        let mut left = Vec::new();
        for step in plan.of(Action::Update) {
            let Some(live) = &step.live else { continue };
            if let Err(error) = it.platform.restore_from_image(live).await {
                left.push(format!("endpoint `{}` has its new settings: {error}", step.resource));
            }
        }
        it.restored(created, None, left, state).await;
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
    use flash_core::manifest::Manifest;

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
