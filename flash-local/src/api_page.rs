use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::response::{Html, Response};
use axum::routing::get;
use http::{HeaderValue, Request, StatusCode};

use crate::gateway::{Connections, Failure, refusal};

/// Where the page stands.
pub const API_PAGE: &str = "/_flash/api";

/// The page for people: every operation of an app's OpenAPI document, with a form to call it. It loads nothing from elsewhere.
const PAGE: &str = include_str!("api_page.html");

/// The page of an app that runs in its local role at `app`, with the app itself behind it: what is not the page goes to the
/// app, so the page calls operations at the address that it came from.
///
/// The page is part of the tools and not of the app: a worker carries no page.
pub fn api_page(app: SocketAddr) -> Router {
    Router::new()
        .route(API_PAGE, get(async || Html(PAGE)))
        .fallback(forward)
        .with_state(Arc::new(Connections::to(app.port())))
}

async fn forward(State(app): State<Arc<Connections>>, mut request: Request<Body>) -> Response {
    *request.version_mut() = http::Version::HTTP_11;
    if let Ok(host) = HeaderValue::from_str(&app.address().to_string()) {
        request.headers_mut().insert(http::header::HOST, host);
    }
    match app.send(request).await {
        Ok(response) => response.map(Body::new),
        Err(Failure::NotSent(_)) => refusal(StatusCode::BAD_GATEWAY, "the app does not answer"),
        Err(Failure::Broken(error)) => {
            refusal(StatusCode::BAD_GATEWAY, &format!("the app broke the connection: {error}"))
        }
    }
}
