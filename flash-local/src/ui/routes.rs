//! The routes of the page.

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::{Path, Query, State};
use axum::middleware::map_response;
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::get;
use flash_queue::QueueError;
use flash_queue::routes::{Auth, Caller};
use http::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderName};
use http::{HeaderMap, HeaderValue, StatusCode};
use serde::Serialize;

use super::feed::{Feed, Focus};
use super::history::History;
use super::{assets, endpoint};
use crate::plane::Plane;
use crate::sse;

/// What the page's routes need.
#[derive(Clone, Debug)]
pub(crate) struct Ui {
    pub(super) plane: Arc<Plane>,
    pub(super) auth: Auth,
    pub(super) history: Arc<History>,
}

/// The routes under `/ui`, and the way there.
pub(crate) fn routes(ui: Ui) -> Router {
    Router::new()
        .route("/", get(async || Redirect::temporary("/ui/")))
        .route("/ui", get(async || Redirect::permanent("/ui/")))
        .route("/ui/", get(assets::index))
        .route("/ui/{file}", get(assets::named))
        .route("/ui/api/events", get(events))
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
    /// Must be called when the platform's tasks can run.
    pub(crate) fn new(plane: Arc<Plane>, auth: Auth) -> Self {
        let history = Arc::new(History::default());
        plane.tasks.spawn(history.clone().run(plane.clone()));
        Self { plane, auth, history }
    }

    /// Whether these headers open an endpoint.
    pub(super) fn opens(&self, endpoint: &str, headers: &HeaderMap) -> bool {
        self.auth.allows(Caller::Client { endpoint }, headers)
    }
}

/// Everything that changes, as it changes.
async fn events(State(ui): State<Ui>, Query(focus): Query<Focus>, headers: HeaderMap) -> Response {
    if !ui.opens(focus.endpoint.as_deref().unwrap_or_default(), &headers) {
        return QueueError::Unauthorized.into_response();
    }
    sse::response("no-store", move |events| Feed::new(ui, headers, focus, events).run())
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
