//! REST v2, as RunPod's document describes it, for what this platform has: serverless endpoints with their workers, logs and
//! releases, templates, network volumes and the catalogue. None of its lists has pages.

use std::sync::Arc;

use axum::Router;
use axum::body::to_bytes;
use axum::extract::{DefaultBodyLimit, Request, State};
use axum::middleware::{self, Next};
use axum::response::Response;
use axum::routing::get;
use http::StatusCode;
use http::header::CONTENT_TYPE;

use super::Control;

mod answer;
mod body;
mod catalogue;
mod endpoint;
mod endpoints;
mod fields;
mod logs;
mod problem;
mod quota;
mod releases;
mod templates;
mod volumes;
mod workers;

pub(super) use catalogue::{manufacturer_of, memory_of};
use problem::Problem;
pub(super) use quota::Quota;

/// Largest body.
const BODY_MAX: usize = 4 * 1024 * 1024;

pub(super) fn routes(control: &Arc<Control>) -> Router {
    Router::new()
        .route("/v2/serverless", get(endpoints::list).post(endpoints::create))
        .route("/v2/serverless/{id}", get(endpoints::get).patch(endpoints::update).delete(endpoints::delete))
        .route("/v2/serverless/{id}/workers", get(workers::list))
        .route("/v2/serverless/{id}/workers/{worker}/logs", get(logs::stream))
        .route("/v2/serverless/{id}/releases", get(releases::list))
        .route("/v2/templates", get(templates::list).post(templates::create))
        .route("/v2/templates/{id}", get(templates::get).patch(templates::update).delete(templates::delete))
        .route("/v2/network-volumes", get(volumes::list).post(volumes::create))
        .route("/v2/network-volumes/{id}", get(volumes::get).patch(volumes::update).delete(volumes::delete))
        .route("/v2/catalog/gpus", get(catalogue::gpus))
        .route("/v2/catalog/gpus/{id}", get(catalogue::gpu))
        .route("/v2/catalog/cpus", get(catalogue::cpus))
        .route("/v2/catalog/cpus/{id}", get(catalogue::cpu))
        .route("/v2/catalog/datacenters", get(catalogue::data_centers))
        .route("/v2/catalog/datacenters/{id}", get(catalogue::data_center))
        .route("/v2/catalog/templates", get(templates::list_public))
        .method_not_allowed_fallback(wrong_method)
        .layer(DefaultBodyLimit::max(BODY_MAX))
        .layer(middleware::from_fn_with_state(control.clone(), guard))
        .with_state(control.clone())
}

/// Lets those in who have a key and have not asked too often.
async fn guard(State(control): State<Arc<Control>>, request: Request, next: Next) -> Response {
    if !control.keys.allow(request.headers()) {
        return Problem::unauthorized().into();
    }
    let taken = control.quota.take(control.now());
    let mut response = match taken.retry_after {
        None => as_problem(next.run(request).await).await,
        Some(seconds) => Problem::too_many(seconds).into(),
    };
    taken.show(response.headers_mut());
    response
}

/// What axum itself refuses (a query or a path that can not be read, a body over the limit) it refuses in plain text.
async fn as_problem(response: Response) -> Response {
    let is_text =
        response.headers().get(CONTENT_TYPE).is_some_and(|kind| kind.as_bytes().starts_with(b"text/plain"));
    if !response.status().is_client_error() || !is_text {
        return response;
    }
    let status = response.status();
    let text = to_bytes(response.into_body(), 8 * 1024).await.unwrap_or_default();
    Problem::new(status, String::from_utf8_lossy(&text)).into()
}

async fn wrong_method() -> Problem {
    Problem::new(StatusCode::METHOD_NOT_ALLOWED, "The requested method is not allowed for this path.")
}
