use flash_platform::control::Platform;

use crate::cli::{AppCommand, Where};
use crate::connect::connect;
use crate::failure::Failure;
use crate::output::{Output, table};
use crate::report::{AppDeleted, AppList, ListedApp};

/// `flash app`
pub(super) async fn run(command: AppCommand, to: Option<Where>, output: Output) -> Result<u8, Failure> {
    let connection = connect(to)?;
    match command {
        AppCommand::List => {
            let apps = connection.platform.apps().await?;
            let rows: Vec<Vec<String>> = apps
                .iter()
                .map(|app| {
                    let environments: Vec<&str> =
                        app.environments.iter().map(|env| env.name.as_str()).collect();
                    vec![
                        app.name.clone(),
                        app.id.clone(),
                        environments.join(", "),
                        app.builds.len().to_string(),
                    ]
                })
                .collect();
            let list = apps.iter().map(|app| ListedApp {
                name: app.name.clone(),
                id: app.id.clone(),
                environments: app.environments.iter().map(|env| env.name.clone()).collect(),
                builds: app.builds.len(),
            });
            let text = match rows.is_empty() {
                true => format!("there is no app on {}\n\nnext: flash deploy", connection.name),
                false => table(&["APP", "ID", "ENVIRONMENTS", "BUILDS"], &rows),
            };
            output.result(&text, &AppList { apps: list.collect() });
        }
        AppCommand::Delete { name, force } => {
            let app = connection.platform.app(&name).await?.ok_or_else(|| {
                Failure::new(format!("there is no app `{name}`")).help("`flash app list` shows what there is")
            })?;
            if let Some(environment) = app.environments.first() {
                return Err(Failure::new(format!("app `{name}` has the environment `{}`", environment.name))
                    .help(format_args!(
                        "delete it first: flash env delete {} --app-name {name}",
                        environment.name
                    )));
            }
            output.confirm(
                &format!("Delete app {name} with {} builds on {}?", app.builds.len(), connection.name),
                force,
            )?;
            connection.platform.delete_app(&app.id).await?;
            if connection.platform.app(&name).await?.is_some() {
                return Err(Failure::of(
                    crate::exit::UNVERIFIED,
                    format!("app `{name}` was deleted, and the platform still has it"),
                ));
            }
            output.result(&format!("deleted app {name}"), &AppDeleted { deleted: name.clone(), id: app.id });
        }
    }
    Ok(0)
}
