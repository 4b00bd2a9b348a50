//! Finds the endpoint that the headers of a call name (platform contract D.8).

use http::HeaderMap;

use super::Control;

impl Control {
    /// The id of the endpoint of `resource` in an environment of an app.
    pub(crate) fn find(&self, headers: &HeaderMap) -> Option<String> {
        let header = |name: &str| headers.get(name)?.to_str().ok().map(str::to_owned);
        let (app, environment, resource) =
            (header("x-flash-app")?, header("x-flash-environment")?, header("x-flash-endpoint")?);
        let state = self.state();
        let app = state.apps.find(|one| one.name == app)?;
        let environment = state.environments_of(&app.id).find(|one| one.name == environment)?;
        let found = state.endpoints.find(|endpoint| {
            endpoint.environment.as_ref() == Some(&environment.id)
                && state
                    .template_of(endpoint)
                    .env
                    .get("FLASH_RESOURCE_NAME")
                    .map_or(endpoint.name == resource, |name| *name == resource)
        })?;
        Some(found.id.clone())
    }
}
