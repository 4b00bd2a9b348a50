use flash_platform::control::{App, Build, Platform, RunPod};

use super::context::{app_name, environment_of};
use super::deploy::{finish, prepare};
use crate::cli::{RollbackArgs, Where};
use crate::connect::connect;
use crate::deploy::{Artifact, Identity, Source, artifact_of, read_manifest, served_in};
use crate::failure::Failure;
use crate::output::Output;
use crate::project::Project;

/// `flash rollback`: an earlier build, deployed again as it was, without building or uploading anything.
pub(super) async fn run(args: RollbackArgs, to: Option<Where>, output: Output) -> Result<u8, Failure> {
    let connection = connect(to)?;
    let platform = &connection.platform;
    let name = app_name(args.target.app_name.as_deref())?;
    let app = platform
        .app(&name)
        .await?
        .ok_or_else(|| Failure::new(format!("there is no app `{name}`")).help("run `flash deploy` first"))?;
    let env = environment_of(args.target.env.as_deref(), &name, Some(&app))?;
    let build = match args.build {
        Some(build) => build,
        None => before(platform, &app, &env).await?,
    };
    if let Some(other) = app
        .environments
        .iter()
        .find(|other| other.name != env && other.active_build_id.as_deref() == Some(build.as_str()))
    {
        return Err(Failure::new(format!(
            "build {build} is active in environment `{}`, and a build holds the addresses of one environment",
            other.name
        ))
        .help(format_args!("deploy the sources of that build: `flash deploy --env {env}`")));
    }
    let manifest = read_manifest(platform, &build).await?.ok_or_else(|| {
        Failure::new(format!("there is no build `{build}`"))
            .help(format_args!("`flash deploy info {env}` lists the builds"))
    })?;
    let sha256 = artifact_of(&manifest).ok_or_else(|| {
        Failure::new(format!("build {build} does not say which artifact it has, so no worker could check it"))
            .help("deploy the sources of that build instead")
    })?;
    output.note(format_args!(
        "rolling {name} back to build {build} in environment {env} on {}",
        connection.name
    ));
    let project = Project::find(None)?;
    let id = Identity { app: name, env };
    let deployment = prepare(&connection, &project, manifest, None, id, args.how, output)?;
    finish(deployment, Artifact { sha256, source: Source::Build(build) }, output).await
}

/// The youngest build that is older than the active one and served in the environment.
async fn before(platform: &RunPod, app: &App, env: &str) -> Result<String, Failure> {
    let environment = app.environments.iter().find(|environment| environment.name == env);
    let active = environment.and_then(|environment| environment.active_build_id.as_deref());
    let older = active.and_then(|active| older(app.builds.clone(), active)).ok_or_else(|| {
        Failure::new("nothing is active, so there is nothing to roll back from")
            .help("name the build: `flash rollback BUILD`; `flash deploy info ENVIRONMENT` lists them")
    })?;
    for build in older {
        let manifest = read_manifest(platform, &build.id).await?;
        if manifest.as_ref().and_then(served_in) == Some(env) {
            return Ok(build.id);
        }
    }
    Err(Failure::new(format!("no build before the active one served in environment `{env}`")).help(
        "name one that came after it: `flash rollback BUILD`; `flash deploy info ENVIRONMENT` lists them",
    ))
}

/// The builds that are older than this one, the youngest first. `None`: it is not one of them.
fn older(mut builds: Vec<Build>, than: &str) -> Option<impl Iterator<Item = Build>> {
    builds.sort_by(|a, b| (&b.created_at, &b.id).cmp(&(&a.created_at, &a.id)));
    let at = builds.iter().position(|build| build.id == than)?;
    Some(builds.into_iter().skip(at + 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn older_builds_are_found_whatever_the_order_of_the_list() {
        let build = |id: &str, at: &str| Build {
            id: id.to_owned(),
            created_at: Some(at.to_owned()),
            ..Build::default()
        };
        let builds = vec![build("new", "3"), build("old", "1"), build("middle", "2")];
        let found = |than: &str| -> Option<Vec<String>> {
            older(builds.clone(), than).map(|builds| builds.map(|build| build.id).collect())
        };
        assert_eq!(found("new").unwrap(), ["middle", "old"]);
        assert_eq!(found("middle").unwrap(), ["old"]);
        assert_eq!(found("old").unwrap().len(), 0);
        assert_eq!(found("nobody"), None);
    }
}
