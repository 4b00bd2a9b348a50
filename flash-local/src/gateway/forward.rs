//! Passes requests on.

use std::error::Error as _;
use std::sync::Arc;

use axum::Router;
use axum::body::{Body, HttpBody};
use axum::extract::State;
use axum::response::Response;
use axum::routing::any;
use flash_core::clock::Clock;
use flash_queue::Limits;
use flash_queue::routes::{Auth, Caller};
use http::header::{CONNECTION, UPGRADE};
use http::{HeaderMap, HeaderValue, Request, StatusCode, Uri};
use http_body_util::{BodyExt, LengthLimitError, Limited};

use super::affinity::Affinity;
use super::answer::refusal;
use super::body::Passing;
use super::connections::Failure;
use super::headers;
use super::pool::NotPicked;
use super::upgrade::Upgrade;
#[cfg(feature = "control-plane")]
use crate::control::Control;
use crate::endpoint::Endpoint;
use crate::plane::Plane;
use crate::spec::Kind;

/// What the gateway needs.
#[derive(Clone, Debug)]
pub(crate) struct Gateway {
    pub(crate) plane: Arc<Plane>,
    pub(crate) auth: Auth,
    #[cfg(feature = "control-plane")]
    pub(crate) control: Option<Arc<Control>>,
}

impl Gateway {
    /// The id of the endpoint that a request is for: the one in its path, or behind `/lb/flash` the one that its headers
    /// name (platform contract D.8).
    #[cfg_attr(
        not(feature = "control-plane"),
        expect(clippy::unused_self, reason = "only a control plane is asked")
    )]
    fn find(&self, name: &str, headers: &HeaderMap) -> Option<String> {
        #[cfg(feature = "control-plane")]
        if let ("flash", Some(control)) = (name, &self.control) {
            return control.find(headers);
        }
        let _ = headers;
        Some(name.to_owned())
    }
}

/// The routes under `/lb/{endpoint}`.
pub(crate) fn routes(gateway: Gateway) -> Router {
    Router::new()
        .route("/lb/{endpoint}", any(forward))
        .route("/lb/{endpoint}/", any(forward))
        .route("/lb/{endpoint}/{*path}", any(forward))
        .with_state(gateway)
}

async fn forward(State(gateway): State<Gateway>, request: Request<Body>) -> Response {
    let Plane { table, limits, clock, .. } = &*gateway.plane;
    let (name, target) = split(request.uri());
    let found = gateway.find(name, request.headers());
    let endpoint = found.as_deref().and_then(|id| table.get(id));
    // Whether there is such an endpoint is nobody's business without a key.
    let is_public =
        endpoint.as_ref().and_then(|endpoint| endpoint.plan()).is_some_and(|plan| plan.is_public());
    if !is_public && !gateway.auth.allows(Caller::Client { endpoint: name }, request.headers()) {
        return refusal(StatusCode::UNAUTHORIZED, "missing or wrong API key");
    }
    let Some(endpoint) = endpoint else {
        return refusal(StatusCode::NOT_FOUND, &format!("no endpoint {name:?} here"));
    };
    if endpoint.kind == Kind::Queue {
        return refusal(StatusCode::BAD_REQUEST, "not allowed for QB API");
    }
    let size = request.body().size_hint().lower();
    if size > limits.http_body as u64 {
        discard(request.into_body()).await;
        return too_large(Some(size), limits);
    }
    let Ok(target) = target.parse() else {
        return refusal(StatusCode::BAD_REQUEST, "path can not be passed on");
    };
    let (mut parts, body) = request.into_parts();
    parts.uri = target;
    parts.version = http::Version::HTTP_11;
    pass(
        &endpoint,
        Request::from_parts(parts, Body::new(Limited::new(body, limits.http_body))),
        limits,
        clock,
    )
    .await
}

async fn pass(endpoint: &Endpoint, mut request: Request<Body>, limits: &Limits, clock: &Clock) -> Response {
    let affinity = Affinity::of(request.headers());
    let is_strict = matches!(affinity, Affinity::Only(_));
    let until = clock.now() + if is_strict { limits.affinity_wait } else { limits.http_no_worker };
    let mut upgrade = Upgrade::of(&mut request);
    loop {
        let picked = match endpoint.pool.pick(&affinity, clock, until).await {
            Ok(picked) => picked,
            Err(NotPicked::Gone) => return refusal(StatusCode::NOT_FOUND, "affinity_worker_gone"),
            Err(NotPicked::Timeout) if is_strict => {
                return refusal(StatusCode::BAD_REQUEST, "worker_timeout");
            }
            Err(NotPicked::Timeout) => {
                return refusal(StatusCode::SERVICE_UNAVAILABLE, "no workers available");
            }
        };
        let backend = picked.backend.clone();
        headers::to_worker(request.headers_mut(), &backend.host);
        if let Some(upgrade) = &upgrade {
            upgrade.ask(request.headers_mut());
        }
        let failure = match clock.timeout(limits.http_processing, backend.send(request)).await {
            Err(_) => {
                let seconds = limits.http_processing.as_secs_f64();
                let error = format!("worker {} did not answer within {seconds} s", backend.worker);
                return refusal(StatusCode::GATEWAY_TIMEOUT, &error);
            }
            Ok(Ok(mut response)) if response.status() == StatusCode::SWITCHING_PROTOCOLS => {
                // A worker that switches without being asked would be a broken one.
                let Some(upgrade) = upgrade.take() else {
                    return refusal(StatusCode::BAD_GATEWAY, "worker switched protocols without being asked");
                };
                let kept = response.headers().get(UPGRADE).cloned();
                upgrade.join(&mut response, picked);
                let (mut parts, _) = response.into_parts();
                headers::to_caller(&mut parts.headers, &backend.worker);
                parts.headers.insert(CONNECTION, HeaderValue::from_static("upgrade"));
                parts.headers.extend(kept.map(|protocol| (UPGRADE, protocol)));
                return Response::from_parts(parts, Body::empty());
            }
            Ok(Ok(response)) => {
                let (mut parts, body) = response.into_parts();
                // A worker that drains says so here first, and then on its health path.
                if headers::closes(&parts.headers) {
                    backend.look();
                }
                headers::to_caller(&mut parts.headers, &backend.worker);
                return Response::from_parts(parts, Body::new(Passing { body, _picked: picked }));
            }
            Ok(Err(failure)) => failure,
        };
        match failure {
            Failure::NotSent(unsent) => {
                backend.suspect();
                request = *unsent;
            }
            Failure::Broken(error) if is_over_limit(&error) => return too_large(None, limits),
            Failure::Broken(error) => {
                backend.suspect();
                tracing::warn!(endpoint = %endpoint.id, worker = %backend.worker, %error, "request was lost");
                let error = format!("worker {} ended or broke the connection", backend.worker);
                return refusal(StatusCode::BAD_GATEWAY, &error);
            }
        }
    }
}

/// The endpoint and what the worker is asked for: the path behind it, as it was written.
fn split(uri: &Uri) -> (&str, String) {
    let rest = uri.path().strip_prefix("/lb/").unwrap_or_default();
    let (name, path) = rest.split_once('/').unwrap_or((rest, ""));
    match uri.query() {
        Some(query) => (name, format!("/{path}?{query}")),
        None => (name, format!("/{path}")),
    }
}

fn too_large(size: Option<u64>, limits: &Limits) -> Response {
    let limit = limits.http_body;
    let error = match size {
        Some(size) => format!("body of {size} bytes is over the limit of {limit} bytes"),
        None => format!("body is over the limit of {limit} bytes"),
    };
    refusal(StatusCode::PAYLOAD_TOO_LARGE, &error)
}

/// Bytes of a body over the limit that are read and thrown away at most.
const DISCARD_MAX: usize = 256 * 1024 * 1024;

/// Reads what nobody wants: a caller that is still sending when the answer comes takes it for a broken connection.
async fn discard(mut body: Body) {
    let mut size = 0;
    while size < DISCARD_MAX
        && let Some(Ok(frame)) = body.frame().await
    {
        size += frame.data_ref().map_or(0, bytes::Bytes::len);
    }
}

/// Whether sending failed because the caller sent too much.
fn is_over_limit(error: &hyper::Error) -> bool {
    let mut source = error.source();
    while let Some(error) = source {
        if error.is::<LengthLimitError>() {
            return true;
        }
        source = error.source();
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_path_behind_the_endpoint_is_passed_on_as_it_is() {
        for (path, name, target) in [
            ("/lb/api", "api", "/"),
            ("/lb/api/", "api", "/"),
            ("/lb/api/a%2Fb/c?q=1&x=%20", "api", "/a%2Fb/c?q=1&x=%20"),
            ("/lb/api//double", "api", "//double"),
            ("/lb/api?x", "api", "/?x"),
        ] {
            assert_eq!(split(&path.parse().unwrap()), (name, target.to_owned()), "{path}");
        }
    }
}
