//! Flash apps and their environments.

use std::sync::Arc;

use super::records::{App, Environment};
use super::{Control, ControlError, id};

impl Control {
    pub(super) async fn create_app(self: &Arc<Self>, name: String) -> Result<Arc<App>, ControlError> {
        check_name("app", &name)?;
        let created = self.now();
        self.write(move |state| {
            if state.apps.find(|app| app.name == name).is_some() {
                return Err(ControlError::Conflict(format!("an app {name:?} is there already")));
            }
            Ok(state.apps.put(App { id: id::object(), name, created }))
        })
        .await
    }

    /// Deletes an app with its environments and builds, unless endpoints are left.
    pub(super) async fn delete_app(self: &Arc<Self>, id: String) -> Result<(), ControlError> {
        let objects = self
            .write(move |state| {
                state.app(&id)?;
                let environments: Vec<_> = state.environments_of(&id).map(|one| one.id.clone()).collect();
                for environment in &environments {
                    check_empty(state, environment)?;
                }
                for environment in &environments {
                    state.environments.remove(environment);
                }
                let objects: Vec<_> = state.builds_of(&id).map(|build| build.object_key.clone()).collect();
                state.builds.remove_all(|build| build.app == id);
                state.uploads.remove_all(|upload| upload.app == id);
                state.apps.remove(&id);
                Ok(objects)
            })
            .await?;
        for object in objects {
            self.artifacts.remove(&object);
        }
        Ok(())
    }

    pub(super) async fn create_environment(
        self: &Arc<Self>,
        app: String,
        name: String,
    ) -> Result<Arc<Environment>, ControlError> {
        check_name("environment", &name)?;
        let created = self.now();
        self.write(move |state| {
            state.app(&app)?;
            if state.environments_of(&app).any(|environment| environment.name == name) {
                return Err(ControlError::Conflict(format!("an environment {name:?} is there already")));
            }
            Ok(state.environments.put(Environment {
                id: id::object(),
                app,
                name,
                created,
                active_build: None,
            }))
        })
        .await
    }

    pub(super) async fn delete_environment(self: &Arc<Self>, id: String) -> Result<(), ControlError> {
        self.write(move |state| {
            state.environment(&id)?;
            check_empty(state, &id)?;
            state.environments.remove(&id);
            Ok(())
        })
        .await
    }

    /// Lets an environment run a build. Its endpoints get new workers.
    pub(super) async fn activate(
        self: &Arc<Self>,
        environment: String,
        build: String,
    ) -> Result<Arc<Environment>, ControlError> {
        let now = self.now();
        self.write(move |state| {
            let mut changed = Environment::clone(state.environment(&environment)?);
            if state.build(&build)?.app != changed.app {
                return Err(ControlError::invalid("the build belongs to another app"));
            }
            changed.active_build = Some(build.clone());
            let linked: Vec<_> = state
                .endpoints
                .all()
                .filter(|endpoint| endpoint.environment.as_ref() == Some(&environment))
                .cloned()
                .collect();
            for endpoint in linked {
                let mut endpoint = (*endpoint).clone();
                endpoint.build = Some(build.clone());
                let template = state.template_of(&endpoint);
                super::endpoints::put(state, endpoint, &template, now);
            }
            Ok(state.environments.put(changed))
        })
        .await
    }
}

fn check_empty(state: &super::state::State, environment: &str) -> Result<(), ControlError> {
    let left = state.endpoints.find(|endpoint| endpoint.environment.as_deref() == Some(environment));
    match left {
        None => Ok(()),
        Some(endpoint) => Err(ControlError::Conflict(format!(
            "the environment still has endpoint {:?} ({}): delete its endpoints first",
            endpoint.name, endpoint.id
        ))),
    }
}

/// Names become parts of paths and of endpoint names.
fn check_name(what: &str, name: &str) -> Result<(), ControlError> {
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
    if (1..=128).contains(&name.len()) && name.chars().all(fits) {
        return Ok(());
    }
    Err(ControlError::invalid(format!(
        "{what} name {name:?} is not possible: letters, digits, `_`, `-` and `.`, at most 128"
    )))
}
