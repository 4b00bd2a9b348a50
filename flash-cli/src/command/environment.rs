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

async fn info(context: &Context, output: Output) -> Result<u8, Failure> {
    if context.is_image {
        return info_of_images(context, output).await;
    }
    let environment = context.environment()?;
    let manifest = context.active_manifest().await?;
    let endpoints = context.endpoints().await?;
    let rows: Vec<Vec<String>> = endpoints
        .iter()
        .map(|endpoint| {
            let resource =
                endpoint.identity().map(|(_, _, resource)| resource.to_owned()).unwrap_or_default();
            let url = manifest.as_ref().and_then(|manifest| manifest.resources_endpoints.get(&resource));
            let kind = if endpoint.is_load_balanced() { "http" } else { "queue" }.to_owned();
            vec![resource, kind, endpoint.id.clone(), url.cloned().unwrap_or_default()]
        })
        .collect();
    let builds: Vec<String> = context
        .app
        .iter()
        .flat_map(|app| app.builds.iter())
        .map(|build| format!("{} {}", build.id, build.created_at.clone().unwrap_or_default()))
        .collect();
    let volumes: Vec<&str> = environment.network_volumes.iter().map(|volume| volume.name.as_str()).collect();
    let text = format!(
        "{} of {}\n  id            {}\n  state         {}\n  active build  {}\n  volumes       {}\n  builds        {}\n\n{}",
        environment.name,
        context.id.app,
        environment.id,
        environment.state.as_deref().unwrap_or("–"),
        environment.active_build_id.as_deref().unwrap_or("–"),
        if volumes.is_empty() { "–".to_owned() } else { volumes.join(", ") },
        if builds.is_empty() { "–".to_owned() } else { builds.join("\n                ") },
        table(&["ENDPOINT", "KIND", "ID", "ADDRESS"], &rows)
    );
    let list = rows.iter().zip(&endpoints).map(|(row, endpoint)| ShownEndpoint {
        image: endpoint.image.clone(),
        resource: row[0].clone(),
        kind: row[1].clone(),
        endpoint_id: row[2].clone(),
        address: row[3].clone(),
    });
    let document = EnvironmentInfo {
        app: context.id.app.clone(),
        environment: environment.name.clone(),
        id: Some(environment.id.clone()),
        state: environment.state.clone(),
        active_build: environment.active_build_id.clone(),
        leased_until: leased_until(&environment.name),
        builds: context.app.iter().flat_map(|app| &app.builds).map(|build| build.id.clone()).collect(),
        endpoints: list.collect(),
        volumes: volumes.into_iter().map(ToOwned::to_owned).collect(),
    };
    output.result(&text, &document);
    Ok(0)
}

/// What the endpoints of an environment say of themselves: nobody else knows of it.
async fn info_of_images(context: &Context, output: Output) -> Result<u8, Failure> {
    let manifest = context.active_manifest().await?.unwrap_or_default();
    let mut rows = Vec::new();
    let mut list = Vec::new();
    for endpoint in context.endpoints().await? {
        let resource = endpoint.identity().map(|(_, _, resource)| resource.to_owned()).unwrap_or_default();
        let shown = ShownEndpoint {
            kind: if endpoint.is_load_balanced() { "http" } else { "queue" }.to_owned(),
            address: manifest.resources_endpoints.get(&resource).cloned().unwrap_or_default(),
            endpoint_id: endpoint.id,
            image: endpoint.image,
            resource,
        };
        rows.push(vec![
            shown.resource.clone(),
            shown.kind.clone(),
            shown.endpoint_id.clone(),
            shown.image.clone().unwrap_or_default(),
            shown.address.clone(),
        ]);
        list.push(shown);
    }
    let text = format!(
        "{} of {}, from images\n\n{}",
        context.id.env,
        context.id.app,
        table(&["ENDPOINT", "KIND", "ID", "IMAGE", "ADDRESS"], &rows)
    );
    let document = EnvironmentInfo {
        app: context.id.app.clone(),
        environment: context.id.env.clone(),
        id: None,
        state: None,
        active_build: None,
        leased_until: None,
        builds: Vec::new(),
        endpoints: list,
        volumes: Vec::new(),
    };
    output.result(&text, &document);
    Ok(0)
}

async fn delete(context: &Context, force: bool, output: Output) -> Result<u8, Failure> {
    let environment = context.environment()?.clone();
    let endpoints: Vec<(String, String)> = context
        .endpoints()
        .await?
        .iter()
        .filter_map(|endpoint| Some((endpoint.identity()?.2.to_owned(), endpoint.id.clone())))
        .collect();
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
