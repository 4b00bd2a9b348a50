use flash_platform::control::Platform;

use super::context::{Context, app_name, environments_of_images};
use super::undeploy::remove_endpoints;
use crate::cli::{EnvCommand, TargetArgs, Where};
use crate::connect::connect;
use crate::deploy::{State, leased_until};
use crate::failure::Failure;
use crate::output::{Output, table};
use crate::project::Project;
use crate::report::{EnvironmentDeleted, EnvironmentInfo, EnvironmentList, ListedEnvironment, ShownEndpoint};

/// `flash env`, and the same parts of `flash deploy`.
pub(super) async fn run(command: EnvCommand, to: Option<Where>, output: Output) -> Result<u8, Failure> {
    match command {
        EnvCommand::List { app_name } => list(app_name.as_deref(), to, output).await,
        EnvCommand::Info { name, app_name } => {
            info(&Context::open(&target(name, app_name), to).await?, output).await
        }
        EnvCommand::Delete { name, app_name, force } => {
            delete(&Context::open(&target(name, app_name), to).await?, force, output).await
        }
    }
}

fn target(name: String, app_name: Option<String>) -> TargetArgs {
    TargetArgs { app_name, env: Some(name) }
}

async fn list(asked: Option<&str>, to: Option<Where>, output: Output) -> Result<u8, Failure> {
    let connection = connect(to)?;
    let name = app_name(asked)?;
    let environments = connection.platform.app(&name).await?.map(|app| app.environments).unwrap_or_default();
    let images = environments_of_images(&name, &connection.platform.endpoints().await?);
    let mut rows: Vec<Vec<String>> = environments
        .iter()
        .map(|env| {
            let text = |value: &Option<String>| value.clone().unwrap_or_else(|| "–".to_owned());
            vec![env.name.clone(), env.id.clone(), text(&env.active_build_id), text(&env.created_at)]
        })
        .collect();
    rows.extend(images.iter().map(|name| [name, "–", "(images)", "–"].map(ToOwned::to_owned).to_vec()));
    let text = match rows.is_empty() {
        true => {
            format!("app {name} has no environment on {}\n\nnext: flash deploy new staging", connection.name)
        }
        false => table(&["ENVIRONMENT", "ID", "ACTIVE BUILD", "CREATED"], &rows),
    };
    let list = environments.into_iter().map(|env| ListedEnvironment {
        leased_until: leased_until(&env.name),
        name: env.name,
        id: Some(env.id),
        active_build: env.active_build_id,
        created_at: env.created_at,
        runs_images: false,
    });
    let of_images = images.into_iter().map(|name| ListedEnvironment {
        leased_until: None,
        name,
        id: None,
        active_build: None,
        created_at: None,
        runs_images: true,
    });
    output.result(&text, &EnvironmentList { environments: list.chain(of_images).collect(), app: name });
    Ok(0)
}

/// Of images there is no record: what their endpoints say of themselves is all.
async fn info(context: &Context, output: Output) -> Result<u8, Failure> {
    let environment = if context.is_image { None } else { Some(context.environment()?) };
    let manifest = context.active_manifest().await?.unwrap_or_default();
    let mut endpoints = Vec::new();
    for endpoint in context.endpoints().await? {
        let resource = endpoint.identity().map(|(_, _, resource)| resource.to_owned()).unwrap_or_default();
        endpoints.push(ShownEndpoint {
            kind: if endpoint.is_load_balanced() { "http" } else { "queue" }.to_owned(),
            address: manifest.resources_endpoints.get(&resource).cloned().unwrap_or_default(),
            endpoint_id: endpoint.id,
            image: endpoint.image,
            resource,
        });
    }
    let builds = || environment.and(context.app.as_ref()).into_iter().flat_map(|app| &app.builds);
    let volumes: Vec<String> = environment
        .iter()
        .flat_map(|environment| &environment.network_volumes)
        .map(|volume| volume.name.clone())
        .collect();
    let head = match environment {
        None => format!("{} of {}, from images", context.id.env, context.id.app),
        Some(environment) => {
            let listed: Vec<String> = builds()
                .map(|build| format!("{} {}", build.id, build.created_at.clone().unwrap_or_default()))
                .collect();
            let or_none = |text: String| if text.is_empty() { "–".to_owned() } else { text };
            format!(
                "{} of {}\n  id            {}\n  state         {}\n  active build  {}\n  volumes       {}\n  builds        {}",
                environment.name,
                context.id.app,
                environment.id,
                environment.state.as_deref().unwrap_or("–"),
                environment.active_build_id.as_deref().unwrap_or("–"),
                or_none(volumes.join(", ")),
                or_none(listed.join("\n                "))
            )
        }
    };
    let rows: Vec<Vec<String>> = endpoints
        .iter()
        .map(|shown| {
            let image = context.is_image.then(|| shown.image.clone().unwrap_or_default());
            let first = [&shown.resource, &shown.kind, &shown.endpoint_id].map(String::clone);
            first.into_iter().chain(image).chain([shown.address.clone()]).collect()
        })
        .collect();
    let columns: &[&str] = match context.is_image {
        true => &["ENDPOINT", "KIND", "ID", "IMAGE", "ADDRESS"],
        false => &["ENDPOINT", "KIND", "ID", "ADDRESS"],
    };
    let document = EnvironmentInfo {
        app: context.id.app.clone(),
        environment: context.id.env.clone(),
        id: environment.map(|environment| environment.id.clone()),
        state: environment.and_then(|environment| environment.state.clone()),
        active_build: environment.and_then(|environment| environment.active_build_id.clone()),
        leased_until: leased_until(&context.id.env),
        builds: builds().map(|build| build.id.clone()).collect(),
        endpoints,
        volumes,
    };
    output.result(&format!("{head}\n\n{}", table(columns, &rows)), &document);
    Ok(0)
}

async fn delete(context: &Context, force: bool, output: Output) -> Result<u8, Failure> {
    let environment = context.environment()?.clone();
    let endpoints = context.named_endpoints().await?;
    let name = &context.id.env;
    output.confirm(
        &format!("Delete environment {name} of {} with {} endpoints?", context.id.app, endpoints.len()),
        force,
    )?;
    output.confirm(&format!("This cannot be undone. Really delete {name}?"), force)?;
    let left = remove_endpoints(context, &endpoints, output).await?;
    if !left.is_empty() {
        return Err(Failure::new(format!(
            "environment {name} was kept, because some of its endpoints could not be removed\n{}",
            table(&["ENDPOINT", "ID", "REASON"], &left).trim_end()
        ))
        .help("run the command again; it goes on with what is left"));
    }
    context.platform.delete_environment(&environment.id).await?;
    if let Ok(project) = Project::find(None)
        && project.flash_dir().join("state.json").exists()
    {
        let mut state = State::open(&project.flash_dir())?;
        state.forget(&context.name, &context.id);
        state.save()?;
    }
    let document =
        EnvironmentDeleted { deleted: name.clone(), id: environment.id, endpoints: endpoints.len() };
    output.result(&format!("deleted environment {name} and {} endpoints", endpoints.len()), &document);
    Ok(0)
}
