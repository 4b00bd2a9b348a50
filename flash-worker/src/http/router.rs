use axum::Router;
use axum::body::Body;
use axum::extract::OriginalUri;
use axum::routing::{MethodFilter, MethodRouter, on};
use flash_core::{App, Endpoint, Method, Registration, WireError, code};
use http::{Request, Response};
use std::collections::BTreeMap;

use super::{request, response};

/// The routes of one HTTP endpoint, to be nested below a prefix where one process serves several.
pub fn router(app: &App, endpoint: &'static Endpoint) -> Router {
    let mut paths: BTreeMap<&'static str, MethodRouter> = BTreeMap::new();
    for function in app.registry().functions_of(endpoint.name()) {
        let Some(route) = function.meta().http else { continue };
        let methods = paths.remove(route.path).unwrap_or_default();
        paths.insert(route.path, methods.merge(method_route(app, function, route.method)));
    }
    let mut router = Router::new();
    for (path, methods) in paths {
        router = router.route(path, methods.fallback(wrong_method));
    }
    router.fallback(not_found)
}

fn method_route(app: &App, function: &'static Registration, method: Method) -> MethodRouter {
    let app = app.clone();
    on(filter(method), move |request: Request<Body>| {
        let app = app.clone();
        async move { respond(&app, function, request).await }
    })
}

async fn respond(app: &App, function: &'static Registration, request: Request<Body>) -> Response<Body> {
    match (request::answer(app, function, request).await, function.meta().http) {
        (Ok(encoded), Some(route)) => response::success(route, encoded),
        (Ok(_), None) => response::problem(&WireError::new(code::INTERNAL, "the function has no route")),
        (Err(error), _) => response::problem(&error),
    }
}

fn filter(method: Method) -> MethodFilter {
    match method {
        Method::GET => MethodFilter::GET,
        Method::POST => MethodFilter::POST,
        Method::PUT => MethodFilter::PUT,
        Method::PATCH => MethodFilter::PATCH,
        Method::DELETE => MethodFilter::DELETE,
    }
}

async fn not_found(request: Request<Body>) -> Response<Body> {
    let text = format!("no route for {} {}", request.method(), path_of(&request));
    response::problem(&WireError::new(code::NOT_FOUND, text).terminal())
}

async fn wrong_method(request: Request<Body>) -> Response<Body> {
    let text = format!("{} is not allowed for {}", request.method(), path_of(&request));
    response::problem(&WireError::new(code::METHOD_NOT_ALLOWED, text).terminal())
}

/// The path as the caller wrote it, whatever prefix this router is nested below.
fn path_of(request: &Request<Body>) -> String {
    let original = request.extensions().get::<OriginalUri>();
    original.map_or(request.uri(), |original| &original.0).path().to_owned()
}
