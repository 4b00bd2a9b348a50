use std::collections::BTreeMap;
use std::sync::Arc;

use flash_core::manifest::Manifest;
use flash_platform::control::Platform;

use super::context::{
    app_name, deployer, environment_name, environment_of, environments_of_images, platform_name,
};
use super::images::refuse_unknown;
use super::{environment, temporary};
use crate::build::{Built, build, describe_source, keep_manifest, read_artifact};
use crate::cli::{DeployArgs, DeployCommand, EnvCommand, HowArgs, Where};
use crate::connect::{Connection, connect};
use crate::deploy::{
    Applied, Artifact, Deployment, Identity, apply, apply_images, ensure_environment, record_images,
    use_images,
};
use crate::failure::Failure;
use crate::output::{Output, table};
use crate::project::{Overrides, Project};
use crate::report::EnvironmentMade;

/// `flash deploy` and its parts.
pub(super) async fn run(args: DeployArgs, to: Option<Where>, output: Output) -> Result<u8, Failure> {
    match args.command {
        None if args.temporary.temporary => temporary::run(args, to, output).await,
        None if !args.images.is_empty() => from_images(args, to, output).await,
        None => {
            // Wrong addresses and missing keys are told before minutes of building.
            let connection = connect(to)?;
            let project = Project::find(args.source.package.as_deref())?;
            let app = args.target.app_name.unwrap_or_else(|| project.app().to_owned());
            let there = connection.platform.app(&app).await?;
            let env = environment_of(args.target.env.as_deref(), &app, there.as_ref())?;
            let built = build(&args.source, &project, None, output)?;
            send(&connection, &project, built, Identity { app, env }, args.how, output).await
        }
        Some(DeployCommand::Send { name, app_name, how }) => {
            let connection = connect(to)?;
            let project = Project::find(None)?;
            let app = app_name.unwrap_or_else(|| project.app().to_owned());
            let built = read_artifact(project.flash_dir().join("artifact.tar.gz"))?;
            send(&connection, &project, built, Identity { app, env: name }, how, output).await
        }
        Some(DeployCommand::New { name, app_name }) => new(name, app_name, to, output).await,
        Some(DeployCommand::List { app_name }) => {
            environment::run(EnvCommand::List { app_name }, to, output).await
        }
        Some(DeployCommand::Info { name, app_name }) => {
            environment::run(EnvCommand::Info { name, app_name }, to, output).await
        }
        Some(DeployCommand::Delete { name, app_name, force }) => {
            environment::run(EnvCommand::Delete { name, app_name, force }, to, output).await
        }
    }
}

async fn new(name: String, asked: Option<String>, to: Option<Where>, output: Output) -> Result<u8, Failure> {
    let connection = connect(to)?;
    let id = Identity { app: app_name(asked.as_deref())?, env: name };
    let app = connection.platform.app(&id.app).await?;
    if let Some(app) = &app
        && app.environments.iter().any(|environment| environment.name == id.env)
    {
        return Err(Failure::new(format!("app `{}` has an environment `{}` already", id.app, id.env))
            .help(format_args!("run `flash deploy --env {}`", id.env)));
    }
    let (app, environment) = ensure_environment(&connection.platform, &id, app, None).await?;
    let text = format!(
        "created environment {} of app {} on {}\n  id {}\n\nnext: flash deploy --env {}",
        id.env, id.app, connection.name, environment.id, id.env
    );
    let document =
        EnvironmentMade { app: id.app, app_id: app.id, environment: id.env, environment_id: environment.id };
    output.result(&text, &document);
    Ok(0)
}

async fn send(
    connection: &Connection,
    project: &Project,
    built: Built,
    id: Identity,
    how: HowArgs,
    output: Output,
) -> Result<u8, Failure> {
    output.note(format_args!(
        "{} {} ({}) to environment {} on {}",
        if how.dry_run { "planning" } else { "deploying" },
        id.app,
        super::build::size(built.bytes),
        id.env,
        connection.name
    ));
    let (artifact, manifest) = Artifact::of(built);
    let settings = id.env.clone();
    let deployment = prepare(connection, project, manifest, Some(&settings), id, how, output)?;
    finish(deployment, artifact, output).await
}

/// A deployment of an artifact with this manifest, and with what `flash.toml` says about the environment `settings`. An earlier
/// build keeps the settings that it was deployed with: those of today are part of what is taken back.
pub(super) fn prepare(
    connection: &Connection,
    project: &Project,
    mut manifest: Manifest,
    settings: Option<&str>,
    id: Identity,
    how: HowArgs,
    output: Output,
) -> Result<Deployment, Failure> {
    let overrides = Overrides::read(&project.dir)?;
    if let Some(env) = settings {
        override_with(&overrides, env, &mut manifest, output)?;
    }
    let mut deployment = deployment(connection, project, manifest, overrides, id, how, output)?;
    record_images(&mut deployment.manifest, |name| std::env::var(name).ok());
    Ok(deployment)
}

fn override_with(
    overrides: &Overrides,
    env: &str,
    manifest: &mut Manifest,
    output: Output,
) -> Result<(), Failure> {
    for said in overrides.apply(env, manifest)? {
        output.note(format_args!("  {said}"));
    }
    Ok(())
}

/// A deployment of what is declared, which must make sense.
fn deployment(
    connection: &Connection,
    project: &Project,
    manifest: Manifest,
    overrides: Overrides,
    id: Identity,
    how: HowArgs,
    output: Output,
) -> Result<Deployment, Failure> {
    manifest.validate().map_err(|errors| Failure::of(crate::exit::INVALID_APP, errors.to_string()))?;
    Ok(Deployment {
        platform: Arc::new(connection.platform.clone()),
        platform_name: platform_name(connection),
        deployer: deployer(connection, how.require_auth),
        id,
        manifest,
        how,
        prices: overrides.prices,
        output,
        flash_dir: project.flash_dir(),
    })
}

/// `flash deploy --image`: endpoints of images that have the app in them, by REST v2 alone.
async fn from_images(args: DeployArgs, to: Option<Where>, output: Output) -> Result<u8, Failure> {
    let connection = connect(to)?;
    let project = Project::find(args.source.package.as_deref())?;
    let app = args.target.app_name.unwrap_or_else(|| project.app().to_owned());
    let env = match args.target.env.filter(|name| !name.trim().is_empty()) {
        Some(name) => name,
        None => {
            let known = environments_of_images(&app, &connection.platform.endpoints().await?);
            environment_name(None, &app, known.iter().map(String::as_str))?
        }
    };
    // The sources say what is declared. Whether the image has the same functions is checked by its workers when they start.
    let (_, mut manifest, warnings) = describe_source(&args.source, &project)?;
    for warning in &warnings {
        output.warn(warning);
    }
    let overrides = Overrides::read(&project.dir)?;
    override_with(&overrides, &env, &mut manifest, output)?;
    use_images(&mut manifest, &args.images)?;
    let id = Identity { app, env };
    let deployment = deployment(&connection, &project, manifest, overrides, id.clone(), args.how, output)?;
    let (manifest, dry_run) = (deployment.manifest.clone(), deployment.how.dry_run);
    if connection.is_local {
        refuse_unknown(&manifest)?;
    }
    output.note(format_args!(
        "{} images of {} to environment {} on {}",
        if dry_run { "planning" } else { "deploying" },
        id.app,
        id.env,
        connection.name
    ));
    // `flash call` finds the functions there: nobody else has a manifest.
    keep_manifest(&project, &manifest)?;
    let applied = apply_images(deployment).await?;
    tell(&applied, &manifest.function_registry, &id, dry_run, output);
    Ok(0)
}

/// Deploys and tells what came of it.
pub(super) async fn finish(
    deployment: Deployment,
    artifact: Artifact,
    output: Output,
) -> Result<u8, Failure> {
    let (id, dry_run) = (deployment.id.clone(), deployment.how.dry_run);
    let functions = deployment.manifest.function_registry.clone();
    let applied = apply(deployment, artifact).await?;
    tell(&applied, &functions, &id, dry_run, output);
    Ok(0)
}

fn tell(
    applied: &Applied,
    functions: &BTreeMap<String, String>,
    id: &Identity,
    dry_run: bool,
    output: Output,
) {
    let head = match (dry_run, applied.changed) {
        (true, _) => "nothing was changed: this was a dry run",
        (false, true) => "deployed and verified",
        (false, false) => "no changes: the deployment is as declared",
    };
    output.result(&told(head, functions, applied), &applied.document(id));
}

/// Where what was deployed is called.
pub(super) fn told(head: &str, functions: &BTreeMap<String, String>, applied: &Applied) -> String {
    let rows: Vec<Vec<String>> = applied
        .endpoints
        .iter()
        .map(|(name, url)| {
            let of_it: Vec<&str> = functions
                .iter()
                .filter(|(_, resource)| *resource == name)
                .map(|(function, _)| function.as_str())
                .collect();
            vec![name.clone(), of_it.join(", "), url.clone()]
        })
        .collect();
    format!("{head}\n\n{}", table(&["ENDPOINT", "FUNCTIONS", "ADDRESS"], &rows))
}
