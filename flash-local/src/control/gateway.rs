//! Finds the endpoint that the headers of a call name (platform contract D.8).

use std::convert::Infallible;
use std::sync::Arc;

use axum::Router;
use axum::extract::{Path, Request, State};
use axum::response::{IntoResponse, Response};
use axum::routing::any;
use flash_queue::routes::{Auth, Caller};
use http::{HeaderMap, StatusCode, Uri};
use hyper::service::Service;
use hyper_util::service::TowerToHyperService;
use serde_json::json;

use super::Control;

/// `/v2/flash/…`: calls of queue endpoints that are named by headers.
pub(super) fn routes(control: &Arc<Control>, data: Router, auth: Auth) -> Router {
    Router::new().route("/v2/flash/{*operation}", any(pass)).with_state((control.clone(), data, auth))
}

async fn pass(
    State((control, data, auth)): State<(Arc<Control>, Router, Auth)>,
    Path(operation): Path<String>,
    mut request: Request,
) -> Response {
    // Whether there is such an endpoint is nobody's business without a key.
    if !auth.allows(Caller::Client { endpoint: "flash" }, request.headers()) {
        return refusal(StatusCode::UNAUTHORIZED, "missing or wrong API key");
    }
    let Some(id) = control.find(request.headers()) else {
        let names =
            "the endpoint that X-Flash-App, X-Flash-Environment and X-Flash-Endpoint name was not found";
        return refusal(StatusCode::NOT_FOUND, names);
    };
    let query = request.uri().query().map(|query| format!("?{query}")).unwrap_or_default();
    let Ok(target) = format!("/v2/{id}/{operation}{query}").parse::<Uri>() else {
        return refusal(StatusCode::BAD_REQUEST, "path can not be passed on");
    };
    *request.uri_mut() = target;
    match TowerToHyperService::new(data).call(request).await {
        Ok(response) => response,
        Err(never) => {
            let never: Infallible = never;
            match never {}
        }
    }
}

fn refusal(status: StatusCode, error: &str) -> Response {
    (status, axum::Json(json!({ "error": error }))).into_response()
}

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
