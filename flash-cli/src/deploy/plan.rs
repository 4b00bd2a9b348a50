use std::collections::BTreeMap;

use flash_core::manifest::{Manifest, ResourceEntry};
use flash_platform::control::{EndpointInput, LiveEndpoint};
use schemars::JsonSchema;
use serde::Serialize;

use super::desired::Identity;
use super::drift::{ARTIFACT, CONFIG, declared_changes, live_changes};
use crate::output::table;
use crate::report::{self, Change};

/// What a deployment would do.
#[derive(Debug, Clone, Default)]
pub(crate) struct Plan {
    pub(crate) steps: Vec<Step>,
}

/// What becomes of one endpoint.
#[derive(Debug, Clone)]
pub(crate) struct Step {
    pub(crate) resource: String,
    pub(crate) action: Action,
    /// The endpoint that there is.
    pub(crate) live: Option<LiveEndpoint>,
    pub(crate) changes: Vec<Change>,
}

/// What becomes of an endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Action {
    /// There is none yet.
    Create,
    /// Something differs; its workers are replaced one after the other.
    Update,
    /// All is as it should be.
    Unchanged,
    /// The app no longer declares it, or it is a double.
    Delete,
}

impl Action {
    fn sign(self) -> &'static str {
        match self {
            Self::Create => "+ create",
            Self::Update => "~ update",
            Self::Unchanged => "= unchanged",
            Self::Delete => "- delete",
        }
    }
}

/// Compares what is declared with what was deployed and with what is there.
///
/// `inputs` are the endpoints as they should be; `active` is the manifest of the build that runs now; `live` are all endpoints
/// of the account, of which only those of this environment count.
pub(crate) fn plan(
    id: &Identity,
    declared: &BTreeMap<String, ResourceEntry>,
    inputs: &BTreeMap<String, EndpointInput>,
    active: Option<&Manifest>,
    live: &[LiveEndpoint],
    keep_removed: bool,
) -> Plan {
    let mut ours: BTreeMap<&str, Vec<&LiveEndpoint>> = BTreeMap::new();
    for endpoint in live {
        if let Some((app, env, resource)) = endpoint.identity()
            && (app, env) == (id.app.as_str(), id.env.as_str())
        {
            ours.entry(resource).or_default().push(endpoint);
        }
    }
    let mut steps = Vec::new();
    for (resource, entry) in declared {
        let candidates = ours.remove(resource.as_str()).unwrap_or_default();
        let previous = active.and_then(|manifest| manifest.resources.get(resource));
        let chosen = choose(entry, previous, &candidates);
        let doubles = candidates.iter().filter(|other| chosen.is_none_or(|chosen| chosen.id != other.id));
        steps.extend(doubles.map(|other| Step {
            resource: resource.clone(),
            action: Action::Delete,
            live: Some((*other).clone()),
            changes: Vec::new(),
        }));
        let Some(chosen) = chosen else {
            let step =
                Step { resource: resource.clone(), action: Action::Create, live: None, changes: Vec::new() };
            steps.push(step);
            continue;
        };
        let mut changes = previous.map(|previous| declared_changes(previous, entry)).unwrap_or_default();
        if let Some(input) = inputs.get(resource) {
            let known: Vec<String> = changes.iter().map(|change| change.field.clone()).collect();
            let found = live_changes(chosen, input, previous);
            changes.extend(found.into_iter().filter(|change| !known.contains(&change.field)));
        }
        let action = if changes.is_empty() { Action::Unchanged } else { Action::Update };
        steps.push(Step { resource: resource.clone(), action, live: Some(chosen.clone()), changes });
    }
    if !keep_removed {
        steps.extend(ours.into_iter().flat_map(|(resource, endpoints)| {
            endpoints.into_iter().map(move |endpoint| Step {
                resource: resource.to_owned(),
                action: Action::Delete,
                live: Some(endpoint.clone()),
                changes: Vec::new(),
            })
        }));
    }
    Plan { steps }
}

/// The endpoint that stays: of the right kind; the one that the active build knows, else the oldest. Every machine that
/// looks makes the same choice.
pub(crate) fn choose<'a>(
    entry: &ResourceEntry,
    previous: Option<&ResourceEntry>,
    candidates: &[&'a LiveEndpoint],
) -> Option<&'a LiveEndpoint> {
    let fits = |endpoint: &&&LiveEndpoint| {
        endpoint.kind.is_none() || endpoint.is_load_balanced() == entry.is_load_balanced
    };
    let known = previous.and_then(|entry| entry.endpoint_id.as_deref());
    let mut fitting: Vec<&&LiveEndpoint> = candidates.iter().filter(fits).collect();
    fitting.sort_by_key(|endpoint| {
        (known != Some(endpoint.id.as_str()), endpoint.created_at.clone(), endpoint.id.clone())
    });
    fitting.first().map(|endpoint| **endpoint)
}

impl Plan {
    /// Whether anything is to be done.
    pub(crate) fn is_empty(&self) -> bool {
        self.steps.iter().all(|step| step.action == Action::Unchanged)
    }

    pub(crate) fn of(&self, action: Action) -> impl Iterator<Item = &Step> {
        self.steps.iter().filter(move |step| step.action == action)
    }

    /// For people.
    pub(crate) fn text(&self) -> String {
        let mut rows = Vec::new();
        for step in &self.steps {
            let id = step.live.as_ref().map(|live| live.id.clone()).unwrap_or_default();
            let what: Vec<String> = step
                .changes
                .iter()
                .map(|change| match change.field.strip_prefix("env ") {
                    Some(ARTIFACT) => "code".to_owned(),
                    Some(CONFIG) => "settings".to_owned(),
                    Some(name) => format!("variable {name}"),
                    None => format!("{} {} -> {}", change.field, change.from, change.to),
                })
                .collect();
            rows.push(vec![step.action.sign().to_owned(), step.resource.clone(), id, what.join(", ")]);
        }
        table(&["", "ENDPOINT", "ID", "CHANGES"], &rows)
    }

    /// For programs.
    pub(crate) fn document(&self) -> Vec<report::Step> {
        let steps = self.steps.iter().map(|step| report::Step {
            resource: step.resource.clone(),
            action: step.action,
            endpoint_id: step.live.as_ref().map(|live| live.id.clone()),
            changes: step.changes.clone(),
        });
        steps.collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn live(id: &str, resource: &str, kind: &str) -> LiveEndpoint {
        let env = [("FLASH_APP", "app"), ("FLASH_ENV", "prod"), ("FLASH_RESOURCE_NAME", resource)];
        LiveEndpoint {
            id: id.to_owned(),
            kind: Some(kind.to_owned()),
            env: env.into_iter().map(|(key, value)| (key.to_owned(), value.to_owned())).collect(),
            created_at: Some(format!("2026-01-0{}", id.len())),
            ..LiveEndpoint::default()
        }
    }

    fn steps(declared: &str, live: &[LiveEndpoint], keep: bool) -> Vec<(String, Action, Option<String>)> {
        let declared = Manifest::from_json(&format!("{{\"resources\": {declared}}}")).unwrap().resources;
        let id = Identity { app: "app".to_owned(), env: "prod".to_owned() };
        let plan = plan(&id, &declared, &BTreeMap::new(), None, live, keep);
        plan.steps
            .into_iter()
            .map(|step| (step.resource, step.action, step.live.map(|live| live.id)))
            .collect()
    }

    #[test]
    fn new_unchanged_removed_and_double() {
        let mut foreign = live("x", "a", "QUEUE");
        foreign.env.insert("FLASH_ENV".to_owned(), "other".to_owned());
        let mut nobody = live("y", "a", "QUEUE");
        nobody.env.remove("FLASH_APP");
        let all =
            [foreign, nobody, live("bb", "a", "QUEUE"), live("a", "a", "QUEUE"), live("g", "gone", "QUEUE")];
        let step = |resource: &str, action, id: Option<&str>| {
            (resource.to_owned(), action, id.map(ToOwned::to_owned))
        };
        assert_eq!(
            steps("{\"a\": {}, \"new\": {}}", &all, false),
            [
                step("a", Action::Delete, Some("bb")),
                step("a", Action::Unchanged, Some("a")),
                step("new", Action::Create, None),
                step("gone", Action::Delete, Some("g")),
            ]
        );
        assert_eq!(steps("{\"a\": {}}", &all[3..], true), [step("a", Action::Unchanged, Some("a"))]);
    }

    #[test]
    fn an_endpoint_of_the_other_kind_is_replaced() {
        let step = |resource: &str, action, id: Option<&str>| {
            (resource.to_owned(), action, id.map(ToOwned::to_owned))
        };
        assert_eq!(
            steps("{\"a\": {\"is_load_balanced\": true}}", &[live("q", "a", "QUEUE")], false),
            [step("a", Action::Delete, Some("q")), step("a", Action::Create, None)]
        );
    }
}
