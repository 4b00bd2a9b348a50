//! The GraphQL API: the operations that Flash and RunPod's tools send (platform contract D.2), with a real executor.

use std::sync::Arc;

use async_graphql::{EmptySubscription, Request, Response as Answer, Schema, ServerError, Variables};
use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{DefaultBodyLimit, State};
use axum::response::Response;
use axum::routing::post;
use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderValue, StatusCode, Uri};
use serde::Deserialize;

use super::{Control, ControlError};

mod catalogue;
mod endpoint;
mod flash;
mod mutation;
mod query;
mod template;

use mutation::Mutation;
use query::Query;

type Api = Schema<Query, Mutation, EmptySubscription>;

/// Largest request: a manifest and what surrounds it.
const BODY_MAX: usize = 32 * 1024 * 1024;

/// Deeper than any operation of the contract.
const DEPTH_MAX: usize = 12;

/// Whether the caller showed a key. Two operations need none (platform contract D.2, 24 and 25).
#[derive(Clone, Copy, Debug)]
struct Known(bool);

/// The schema as text, for `schemas/control-plane.graphql`.
#[must_use]
pub fn sdl() -> String {
    Schema::build(Query, Mutation, EmptySubscription).finish().sdl()
}

pub(super) fn routes(control: &Arc<Control>) -> Router {
    let api = Schema::build(Query, Mutation, EmptySubscription)
        .data(control.clone())
        .limit_depth(DEPTH_MAX)
        .limit_recursive_depth(32)
        .finish();
    Router::new()
        .route("/graphql", post(execute))
        .layer(DefaultBodyLimit::max(BODY_MAX))
        .with_state((control.clone(), api))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Posted {
    query: String,
    #[serde(default)]
    variables: Option<serde_json::Value>,
    #[serde(default)]
    operation_name: Option<String>,
}

async fn execute(
    State((control, api)): State<(Arc<Control>, Api)>,
    headers: HeaderMap,
    uri: Uri,
    body: Bytes,
) -> Response {
    let posted: Posted = match serde_json::from_slice(&body) {
        Ok(posted) => posted,
        Err(error) => {
            let error = ServerError::new(format!("the body is not a GraphQL request: {error}"), None);
            return answer(StatusCode::BAD_REQUEST, &Answer::from_errors(vec![error]));
        }
    };
    let known = control.keys.allow(&headers) || control.keys.allow_query(uri.query());
    let mut request = Request::new(posted.query)
        .variables(Variables::from_json(posted.variables.unwrap_or_default()))
        .data(Known(known));
    if let Some(name) = posted.operation_name {
        request = request.operation_name(name);
    }
    let answered = api.execute(request).await;
    let refused = !known && answered.errors.iter().any(|error| error.message.starts_with("unauthorized"));
    answer(if refused { StatusCode::UNAUTHORIZED } else { StatusCode::OK }, &answered)
}

fn answer(status: StatusCode, answer: &Answer) -> Response {
    let text = serde_json::to_vec(answer).unwrap_or_else(|error| {
        tracing::error!(%error, "failed to write an answer");
        br#"{"errors":[{"message":"internal server error"}]}"#.to_vec()
    });
    let mut response = Response::new(Body::from(text));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

/// The control plane, for a caller who has shown a key.
fn control<'a>(context: &async_graphql::Context<'a>) -> async_graphql::Result<&'a Arc<Control>> {
    if !context.data::<Known>()?.0 {
        return Err(ControlError::Unauthorized.into());
    }
    context.data::<Arc<Control>>()
}
