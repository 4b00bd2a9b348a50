use flash_platform::control::{Build, Platform};

use super::context::{app_name, environment_of};
use super::deploy::{finish, prepare};
use crate::cli::{RollbackArgs, Where};
use crate::connect::connect;
use crate::deploy::{Artifact, Identity, Source, artifact_of, read_manifest};
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
    let environment = app.environments.iter().find(|environment| environment.name == env);
    let active = environment.and_then(|environment| environment.active_build_id.clone());
    let build = match args.build {
        Some(build) => build,
        None => before(app.builds.clone(), active.as_deref())?,
    };
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

/// The youngest build that is older than the active one.
fn before(mut builds: Vec<Build>, active: Option<&str>) -> Result<String, Failure> {
    builds.sort_by(|a, b| (&a.created_at, &a.id).cmp(&(&b.created_at, &b.id)));
    let at = active.and_then(|active| builds.iter().position(|build| build.id == active));
    let at = at.ok_or_else(|| {
        Failure::new("nothing is active, so there is nothing to roll back from")
            .help("name the build: `flash rollback BUILD`; `flash deploy info ENVIRONMENT` lists them")
    })?;
    let previous = at.checked_sub(1).and_then(|at| builds.get(at));
    previous.map(|build| build.id.clone()).ok_or_else(|| {
        Failure::new("there is no build before the active one").help(
            "name one that came after it: `flash rollback BUILD`; `flash deploy info ENVIRONMENT` lists them",
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_build_before_the_active_one_is_found_whatever_the_order_of_the_list() {
        let build = |id: &str, at: &str| Build {
            id: id.to_owned(),
            created_at: Some(at.to_owned()),
            ..Build::default()
        };
        let builds = vec![build("new", "3"), build("old", "1"), build("middle", "2")];
        assert_eq!(before(builds.clone(), Some("new")).unwrap(), "middle");
        assert_eq!(before(builds.clone(), Some("middle")).unwrap(), "old");
        before(builds.clone(), Some("old")).unwrap_err();
        before(builds, None).unwrap_err();
    }
}
