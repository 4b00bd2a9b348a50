use flash_platform::control::Platform;

use super::context::Context;
use crate::cli::{UndeployArgs, Where};
use crate::deploy::{State, lock_deployment, remove};
use crate::failure::{Failure, exit};
use crate::output::{Output, table};
use crate::project::Project;
use crate::report::{Removed, Undeployed};

/// `flash undeploy`
pub(super) async fn run(args: UndeployArgs, to: Option<Where>, output: Output) -> Result<u8, Failure> {
    let context = Context::open(&args.target, to).await?;
    let endpoints = context.named_endpoints().await?;
    let known = || {
        table(
            &["ENDPOINT", "ID"],
            &endpoints.iter().map(|(name, id)| vec![name.clone(), id.clone()]).collect::<Vec<_>>(),
        )
    };
    let chosen: Vec<(String, String)> = match (args.name.as_deref(), args.all) {
        (Some("list"), _) => {
            let text = if endpoints.is_empty() { "nothing is deployed".to_owned() } else { known() };
            output.result(&text, &Undeployed::List { endpoints: named(&endpoints) });
            return Ok(0);
        }
        (Some(name), _) => {
            endpoints.iter().filter(|(resource, id)| resource == name || id == name).cloned().collect()
        }
        (None, true) => endpoints.clone(),
        (None, false) if output.can_ask() && !endpoints.is_empty() => {
            let rows: Vec<Vec<String>> =
                endpoints.iter().map(|(name, id)| vec![name.clone(), id.clone()]).collect();
            output.choose(&["ENDPOINT", "ID"], &rows)?.into_iter().map(|at| endpoints[at].clone()).collect()
        }
        (None, false) => {
            return Err(Failure::of(exit::USAGE, format!("which endpoint?\n{}", known().trim_end()))
                .help("name one, or remove all with --all"));
        }
    };
    if chosen.is_empty() {
        if let Some(name) = args.name {
            return Err(Failure::new(format!("environment `{}` has no endpoint `{name}`", context.id.env))
                .help("`flash undeploy list` shows what there is"));
        }
        output.result("nothing is deployed", &Undeployed::Removed { removed: Vec::new() });
        return Ok(0);
    }
    let question = format!(
        "Remove {} of {} in environment {} on {}?",
        chosen.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>().join(", "),
        context.id.app,
        context.id.env,
        context.platform.urls().api
    );
    output.confirm(&question, args.force)?;
    let left = remove_endpoints(&context, &chosen, output).await?;
    if !left.is_empty() {
        return Err(Failure::new(format!(
            "not everything could be removed\n{}",
            table(&["ENDPOINT", "ID", "REASON"], &left).trim_end()
        ))
        .help("run the command again; it goes on with what is left"));
    }
    let removed = named(&chosen);
    let text = format!("removed {} endpoints, confirmed gone", removed.len());
    output.result(&text, &Undeployed::Removed { removed });
    Ok(0)
}

/// Endpoints as programs read them.
pub(super) fn named(endpoints: &[(String, String)]) -> Vec<Removed> {
    let named =
        endpoints.iter().map(|(name, id)| Removed { resource: name.clone(), endpoint_id: id.clone() });
    named.collect()
}

/// Removes endpoints of an environment, and forgets them here.
pub(super) async fn remove_endpoints(
    context: &Context,
    chosen: &[(String, String)],
    output: Output,
) -> Result<Vec<Vec<String>>, Failure> {
    let _turn = lock_deployment(&context.name, &context.id)?;
    // A checkout that never deployed has nothing to forget.
    let mut state = match Project::find(None) {
        Ok(project) if project.flash_dir().join("state.json").exists() => {
            Some(State::open(&project.flash_dir())?)
        }
        _ => None,
    };
    let build = context.environment.as_ref().and_then(|environment| environment.active_build_id.as_deref());
    let spinner = output.spinner("removing");
    let platform: &dyn Platform = &*context.platform;
    let left = remove(platform, build, chosen, |resource, id| {
        output.note(format_args!("  deleted {resource} ({id})"));
        if let Some(state) = &mut state {
            let scope = state.scope(&context.name, &context.id);
            scope.resources.retain(|_, tracked| tracked.endpoint_id != id);
            state.save()?;
        }
        Ok(())
    })
    .await;
    spinner.finish_and_clear();
    left
}
