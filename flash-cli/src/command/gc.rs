use std::collections::BTreeSet;

use flash_platform::control::{App, LiveEndpoint, Platform};
use serde_json::{Value, json};

use super::context::app_name;
use crate::cli::{GcArgs, Where};
use crate::connect::connect;
use crate::deploy::{read_manifest, remove};
use crate::failure::Failure;
use crate::output::{Output, table};

/// `flash gc`: endpoints of an app that no active build knows.
///
/// Only endpoints that say app, environment and resource can be found; everything else of the account is not touched.
pub(super) async fn run(args: GcArgs, to: Option<Where>, output: Output) -> Result<u8, Failure> {
    let connection = connect(to)?;
    let platform = &connection.platform;
    let name = app_name(args.target.app_name.as_deref())?;
    let app = platform.app(&name).await?;
    let live = platform.endpoints().await?;
    let known = known_endpoints(platform, app.as_ref()).await?;
    let orphans: Vec<(String, String)> = live
        .iter()
        .filter_map(|endpoint| orphan(endpoint, &name, args.target.env.as_deref(), app.as_ref(), &known))
        .collect();
    let rows: Vec<Vec<String>> = orphans.iter().map(|(name, id)| vec![name.clone(), id.clone()]).collect();
    let list: Vec<Value> =
        orphans.iter().map(|(name, id)| json!({"resource": name, "endpoint_id": id})).collect();
    if orphans.is_empty() || args.dry_run {
        let text = match orphans.is_empty() {
            true => "nothing was left behind".to_owned(),
            false => format!("{}\nnext: flash gc --force", table(&["ENDPOINT", "ID"], &rows)),
        };
        output.result(&text, &json!({"orphans": list, "removed": []}));
        return Ok(0);
    }
    output.note(table(&["ENDPOINT", "ID"], &rows).trim_end());
    output
        .confirm(&format!("Remove these {} endpoints on {}?", orphans.len(), connection.name), args.force)?;
    let left = remove(platform, None, &orphans, |_, _| Ok(())).await?;
    if !left.is_empty() {
        return Err(Failure::new(format!(
            "not everything could be removed\n{}",
            table(&["ENDPOINT", "ID", "REASON"], &left).trim_end()
        ))
        .help("run the command again"));
    }
    output.result(
        &format!("removed {} endpoints, confirmed gone", orphans.len()),
        &json!({"orphans": list, "removed": list}),
    );
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
    let has_environment =
        app.is_some_and(|app| app.environments.iter().any(|environment| environment.name == of_env));
    let is_known = has_environment && known.contains(&endpoint.id);
    (asked && !is_known).then(|| (format!("{of_env}/{resource}"), endpoint.id.clone()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use flash_platform::control::Environment;

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
        let app = App {
            environments: vec![Environment { name: "prod".to_owned(), ..Environment::default() }],
            ..App::default()
        };
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
    }
}
