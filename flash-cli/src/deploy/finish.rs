use std::collections::BTreeMap;

use flash_core::manifest::ResourceEntry;
use flash_platform::control::{LiveEndpoint, Platform};

use super::desired::Identity;
use super::plan::{Action, Plan, choose};
use super::remove::confirm_gone;
use super::state::State;
use crate::failure::Failure;
use crate::output::Output;

/// Removes what is no longer declared, and what a deployment elsewhere made twice. Gives what is left, with the reason.
pub(super) async fn remove_rest(
    platform: &dyn Platform,
    (platform_name, id): (&str, &Identity),
    resources: &BTreeMap<String, ResourceEntry>,
    plan: &Plan,
    state: &mut State,
    output: Output,
) -> Result<Vec<Vec<String>>, Failure> {
    let mut gone: Vec<(String, String)> = plan
        .of(Action::Delete)
        .filter_map(|step| Some((step.resource.clone(), step.live.as_ref()?.id.clone())))
        .collect();
    let live = platform.endpoints().await?;
    for (name, entry) in resources {
        let same: Vec<&LiveEndpoint> = live
            .iter()
            .filter(|endpoint| endpoint.identity() == Some((&id.app, &id.env, name)))
            .filter(|endpoint| !gone.iter().any(|(_, id)| *id == endpoint.id))
            .collect();
        let mine = state.scope(platform_name, id).resources.get(name).cloned().unwrap_or_default();
        let mut known = entry.clone();
        known.endpoint_id = Some(mine.endpoint_id);
        if let Some(kept) = choose(entry, Some(&known), &same) {
            let others = same.iter().filter(|other| other.id != kept.id);
            gone.extend(others.map(|other| (name.clone(), other.id.clone())));
        }
    }
    let mut left = Vec::new();
    for (resource, endpoint) in &gone {
        match confirm_gone(platform, endpoint).await {
            Ok(()) => {
                let scope = state.scope(platform_name, id);
                scope.resources.retain(|_, tracked| tracked.endpoint_id != *endpoint);
                state.save()?;
                output.note(format_args!("  deleted {resource} ({endpoint})"));
            }
            Err(failure) => left.push(vec![resource.clone(), endpoint.clone(), failure.text]),
        }
    }
    Ok(left)
}
