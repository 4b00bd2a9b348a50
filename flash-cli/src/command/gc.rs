use std::collections::{BTreeMap, BTreeSet};

use flash_platform::control::{App, Environment, LiveEndpoint, Platform};

use super::context::app_name;
use super::undeploy::named;
use crate::cli::{GcArgs, Where};
use crate::connect::connect;
use crate::deploy::{lease_of, read_manifest, remove};
use crate::failure::Failure;
use crate::output::{Output, table};
use crate::report::Collected;

/// `flash gc`: endpoints of an app that no active build knows, and temporary environments whose lease is over.
///
/// Only endpoints that say app, environment and resource can be found; everything else of the account is not touched.
pub(super) async fn run(args: GcArgs, to: Option<Where>, output: Output) -> Result<u8, Failure> {
    let connection = connect(to)?;
    let platform = &connection.platform;
    let name = app_name(args.target.app_name.as_deref())?;
    let live = platform.endpoints().await?;
    // Of images there is no record, so where nothing else is there nobody needs to be asked for one.
    let of_app = |endpoint: &&LiveEndpoint| endpoint.identity().is_some_and(|(app, _, _)| app == name);
    let app = match live.iter().filter(of_app).all(LiveEndpoint::is_of_image) {
        true => None,
        false => platform.app(&name).await?,
    };
    let mut known = known_endpoints(platform, app.as_ref()).await?;
    known.extend(of_images(&live));
    let orphans: Vec<(String, String)> = live
        .iter()
        .filter_map(|endpoint| orphan(endpoint, &name, args.target.env.as_deref(), app.as_ref(), &known))
        .collect();
    let rows: Vec<Vec<String>> = orphans.iter().map(|(name, id)| vec![name.clone(), id.clone()]).collect();
    let expired: Vec<&Environment> = app
        .iter()
        .flat_map(|app| &app.environments)
        .filter(|environment| is_over(&environment.name))
        .filter(|environment| args.target.env.as_deref().is_none_or(|env| env == environment.name))
        .collect();
    let mut found = if orphans.is_empty() { String::new() } else { table(&["ENDPOINT", "ID"], &rows) };
    for environment in &expired {
        found.push_str(&format!("the lease of environment {} is over\n", environment.name));
    }
    let mut document = Collected {
        orphans: named(&orphans),
        expired: expired.iter().map(|environment| environment.name.clone()).collect(),
        removed: Vec::new(),
    };
    if found.is_empty() || args.dry_run {
        let text = match found.is_empty() {
            true => "nothing was left behind".to_owned(),
            false => format!("{found}\nnext: flash gc --force"),
        };
        output.result(&text, &document);
        return Ok(0);
    }
    output.note(found.trim_end());
    let what = format!("{} endpoints and {} environments", orphans.len(), expired.len());
    output.confirm(&format!("Remove {what} on {}?", connection.name), args.force)?;
    let left = remove(platform, None, &orphans, |_, _| Ok(())).await?;
    if !left.is_empty() {
        return Err(Failure::new(format!(
            "not everything could be removed\n{}",
            table(&["ENDPOINT", "ID", "REASON"], &left).trim_end()
        ))
        .help("run the command again"));
    }
    for environment in expired {
        platform.delete_environment(&environment.id).await?;
    }
    document.removed.clone_from(&document.orphans);
    output.result(&format!("removed {what}, confirmed gone"), &document);
    Ok(0)
}

/// The endpoints that the active builds of an app's environments name.
async fn known_endpoints(platform: &dyn Platform, app: Option<&App>) -> Result<BTreeSet<String>, Failure> {
    let mut known = BTreeSet::new();
    for environment in app.iter().flat_map(|app| &app.environments) {
        if let Some(build) = &environment.active_build_id
            && let Some(manifest) = read_manifest(platform, build).await?
        {
            known.extend(manifest.resources.into_values().filter_map(|entry| entry.endpoint_id));
        }
    }
    Ok(known)
}

/// Whether the environment was to be gone by now.
fn is_over(environment: &str) -> bool {
    lease_of(environment).is_some_and(|until| until <= jiff::Timestamp::now())
}

/// The endpoints of images that are the deployment: of several for the same resource the one that every deployment takes.
fn of_images(live: &[LiveEndpoint]) -> impl Iterator<Item = String> {
    let mut oldest: BTreeMap<_, &LiveEndpoint> = BTreeMap::new();
    for endpoint in live.iter().filter(|endpoint| endpoint.is_of_image()) {
        let Some(identity) = endpoint.identity() else { continue };
        let kept = oldest.entry(identity).or_insert(endpoint);
        if (&endpoint.created_at, &endpoint.id) < (&kept.created_at, &kept.id) {
            *kept = endpoint;
        }
    }
    oldest.into_values().map(|endpoint| endpoint.id.clone())
}

/// Name and id of an endpoint that belongs to the app and to no active build.
fn orphan(
    endpoint: &LiveEndpoint,
    app_name: &str,
    env: Option<&str>,
    app: Option<&App>,
    known: &BTreeSet<String>,
) -> Option<(String, String)> {
    let (of_app, of_env, resource) = endpoint.identity()?;
    let asked = of_app == app_name && env.is_none_or(|env| env == of_env);
    let has_environment = endpoint.is_of_image()
        || app.is_some_and(|app| app.environments.iter().any(|environment| environment.name == of_env));
    let is_known = has_environment && known.contains(&endpoint.id) && !is_over(of_env);
    (asked && !is_known).then(|| (format!("{of_env}/{resource}"), endpoint.id.clone()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_images_only_doubles_are_left_over() {
        let endpoint = |id: &str, resource: &str, marker: &str, at: &str| {
            let env = [
                ("FLASH_APP", "app"),
                ("FLASH_ENV", "prod"),
                ("FLASH_RESOURCE_NAME", resource),
                (marker, "x"),
            ];
            LiveEndpoint {
                id: id.to_owned(),
                env: env.map(|(key, value)| (key.to_owned(), value.to_owned())).into(),
                created_at: Some(at.to_owned()),
                ..LiveEndpoint::default()
            }
        };
        let image = "FLASH_CONFIG_SHA256";
        let live = [
            endpoint("double", "words", image, "2"),
            endpoint("kept", "words", image, "1"),
            endpoint("other", "api", image, "3"),
            endpoint("artifact", "words", "FLASH_ARTIFACT_SHA256", "0"),
        ];
        let known: BTreeSet<String> = of_images(&live).collect();
        assert_eq!(known, ["kept".to_owned(), "other".to_owned()].into());
        let orphans = live.iter().filter_map(|one| orphan(one, "app", None, None, &known));
        assert_eq!(orphans.map(|(_, id)| id).collect::<Vec<_>>(), ["double", "artifact"]);
    }

    #[test]
    fn every_orphan_is_found_and_nothing_else() {
        let endpoint = |id: &str, app: &str, env: &str| {
            let env = [("FLASH_APP", app), ("FLASH_ENV", env), ("FLASH_RESOURCE_NAME", "words")];
            let env = env.into_iter().filter(|(_, value)| !value.is_empty());
            LiveEndpoint {
                id: id.to_owned(),
                env: env.map(|(key, value)| (key.to_owned(), value.to_owned())).collect(),
                ..LiveEndpoint::default()
            }
        };
        let environment = |name: &str| Environment { name: name.to_owned(), ..Environment::default() };
        let (over, leased) = ("tmp-20200101t000000z-1a2b", "live-29990101t000000z-1a2b");
        let app = App { environments: ["prod", over, leased].map(environment).into(), ..App::default() };
        let known: BTreeSet<String> = ["known".to_owned(), "of-deleted".to_owned()].into();
        let is_orphan = |id, app_of, env_of, env| {
            orphan(&endpoint(id, app_of, env_of), "app", env, Some(&app), &known).is_some()
        };
        assert!(!is_orphan("known", "app", "prod", None));
        assert!(is_orphan("left", "app", "prod", None));
        assert!(is_orphan("of-deleted", "app", "deleted", None));
        assert!(!is_orphan("left", "app", "prod", Some("staging")));
        assert!(!is_orphan("left", "another", "prod", None));
        assert!(!is_orphan("left", "app", "", None));
        assert!(is_orphan("known", "app", over, None));
        assert!(!is_orphan("known", "app", leased, None));
    }
}
