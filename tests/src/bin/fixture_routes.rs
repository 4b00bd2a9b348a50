//! Routers that cannot be mounted: their routes are functions already, or belong to the worker.

use std::process::ExitCode;

use flash::axum::Router;
use flash::axum::routing::{any, get, post};
use flash::prelude::*;

static SHOP: Endpoint = Endpoint::http("shop");

#[remote(resource = SHOP, method = "GET", path = "/items/{id}")]
async fn item(id: u32) -> Result<u32, flash::Error> {
    Ok(id)
}

#[remote(resource = SHOP, method = "POST", path = "/items")]
async fn add_item() -> Result<(), flash::Error> {
    Ok(())
}

#[flash::router(resource = SHOP)]
fn same_verb() -> Router {
    Router::new().route("/items", post(async || ""))
}

#[flash::router(resource = SHOP)]
fn same_shape() -> Router {
    Router::new().route("/items/{name}", get(async || ""))
}

#[flash::router(resource = SHOP)]
fn health() -> Router {
    Router::new().route("/ping", get(async || "")).route("/execute", any(async || ""))
}

#[flash::router(resource = SHOP)]
fn other_verb() -> Router {
    Router::new().route("/items", get(async || ""))
}

#[flash::router(resource = SHOP)]
fn other_verb_too() -> Router {
    Router::new().route("/items", get(async || ""))
}

#[flash::router(resource = SHOP)]
fn broken() -> Router {
    panic!("no database")
}

fn main() -> ExitCode {
    flash::run()
}
