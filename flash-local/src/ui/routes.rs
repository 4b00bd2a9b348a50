//! The routes of the page.

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::{Path, Query, State};
use axum::middleware::map_response;
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::get;
use flash_core::clock::Timestamp;
use flash_core::wire::JobStatus;
use flash_queue::routes::{Auth, Caller};
use flash_queue::store::{Cursor, Listing};
use flash_queue::{Queue, QueueError};
use http::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderName};
use http::{HeaderMap, HeaderValue, StatusCode};
use serde::{Deserialize, Serialize};

use super::events::Events;
use super::feed::{Feed, Focus};
use super::job::Page;
use super::{assets, endpoint};
use crate::plane::Plane;

/// What the page's routes need.
#[derive(Clone, Debug)]
pub(crate) struct Ui {
    pub(crate) plane: Arc<Plane>,
    pub(crate) auth: Auth,
}

/// The routes under `/ui`, and the way there.
pub(crate) fn routes(ui: Ui) -> Router {
    Router::new()
        .route("/", get(async || Redirect::temporary("/ui/")))
        .route("/ui", get(async || Redirect::permanent("/ui/")))
        .route("/ui/", get(assets::index))
        .route("/ui/{file}", get(assets::named))
        .route("/ui/api/events", get(events))
        .route("/ui/api/endpoints/{endpoint}/jobs", get(jobs))
        .route("/ui/api/endpoints/{endpoint}/openapi", get(openapi))
        .layer(map_response(strict))
        .with_state(ui)
}

/// Nothing of this page comes from elsewhere, nobody shows it inside of their own, and nothing is taken for what it does not
/// say it is.
async fn strict(mut response: Response) -> Response {
    const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; \
                          base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
    let headers = response.headers_mut();
    for (name, value) in [
        ("content-security-policy", POLICY),
        ("x-content-type-options", "nosniff"),
        ("referrer-policy", "no-referrer"),
        ("cross-origin-resource-policy", "same-origin"),
        ("cross-origin-opener-policy", "same-origin"),
    ] {
        headers.insert(HeaderName::from_static(name), HeaderValue::from_static(value));
    }
    response
}

impl Ui {
    /// Whether these headers open an endpoint.
    pub(super) fn opens(&self, endpoint: &str, headers: &HeaderMap) -> bool {
        self.auth.allows(Caller::Client { endpoint }, headers)
    }

    fn queue(&self, endpoint: &str, headers: &HeaderMap) -> Result<Queue, QueueError> {
        if !self.opens(endpoint, headers) {
            return Err(QueueError::Unauthorized);
        }
        let found = self.plane.table.get(endpoint).and_then(|endpoint| endpoint.queue.clone());
        found.ok_or_else(|| QueueError::UnknownEndpoint(endpoint.into()))
    }
}

/// Everything that changes, as it changes.
async fn events(State(ui): State<Ui>, Query(focus): Query<Focus>, headers: HeaderMap) -> Response {
    if !ui.opens(focus.endpoint.as_deref().unwrap_or_default(), &headers) {
        return QueueError::Unauthorized.into_response();
    }
    let (sender, body) = Events::channel();
    tokio::spawn(Feed::new(ui, headers, focus, sender).run());
    let mut response = Response::new(Body::new(body));
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/event-stream"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// Where a page of jobs begins.
#[derive(Debug, Deserialize)]
struct From {
    status: Option<JobStatus>,
    /// The last job of the page before.
    submitted: Option<u64>,
    id: Option<String>,
}

async fn jobs(
    State(ui): State<Ui>,
    Path(endpoint): Path<String>,
    Query(from): Query<From>,
    headers: HeaderMap,
) -> Result<Response, QueueError> {
    let queue = ui.queue(&endpoint, &headers)?;
    let before = from.submitted.zip(from.id);
    let before =
        before.map(|(submitted, id)| Cursor { submitted: Timestamp::from_millis(submitted), id: id.into() });
    let page = Page::read(&queue, Listing { status: from.status, before, ..Listing::default() }).await?;
    Ok(json(&page))
}

/// What is known of an endpoint's functions.
async fn openapi(
    State(ui): State<Ui>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<Response, QueueError> {
    if !ui.opens(&id, &headers) {
        return Err(QueueError::Unauthorized);
    }
    let found = ui.plane.table.get(&id).ok_or_else(|| QueueError::UnknownEndpoint(id.as_str().into()))?;
    Ok(json(&endpoint::openapi(&found)))
}

fn json(value: &impl Serialize) -> Response {
    match serde_json::to_vec(value) {
        Ok(text) => {
            let mut response = Response::new(Body::from(text));
            let headers = response.headers_mut();
            headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
            headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
            response
        }
        Err(error) => {
            tracing::error!(%error, "failed to write an answer");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}
