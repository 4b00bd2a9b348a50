//! The HTTP side of a queue: what RunPod's clients and workers speak, for axum.
//!
//! [`client`] serves one endpoint at any prefix; [`platform`] serves all endpoints under `/v2/{endpoint}`, for clients and for
//! workers. Both are the same handlers; the platform's rate limits hold for the second only. Every answer is JSON, errors too: `{"error": "…"}`.

use std::sync::Arc;

use axum::Router;
use axum::routing::{get, post};

mod answer;
mod auth;
mod body;
mod clients;
mod door;
mod rate;
mod target;
mod workers;

pub use auth::{Auth, Caller};
use door::Door;

use crate::{Queue, Queues};

/// The client API of one endpoint at the root, to be nested anywhere: `/run`, `/runsync`, `/status/{id}`, `/stream/{id}`,
/// `/cancel/{id}`, `/retry/{id}`, `/purge-queue`, `/health`, `/requests`, and `/status-sync/{id}` of the older clients.
pub fn client(queue: Queue, auth: Auth) -> Router {
    client_routes("").with_state(Arc::new(Door::one(queue, auth)))
}

/// The client API and the worker protocol of all endpoints, under `/v2/{endpoint}`.
///
/// `auth` says who may call; workers and clients are told apart by [`Auth::check`].
pub fn platform(queues: Queues, auth: Auth) -> Router {
    client_routes("/v2/{endpoint}")
        .merge(worker_routes("/v2/{endpoint}"))
        .fallback(answer::no_route)
        .with_state(Arc::new(Door::all(queues, auth)))
}

fn client_routes(prefix: &str) -> Router<Arc<Door>> {
    let at = |path: &str| format!("{prefix}{path}");
    Router::new()
        .route(&at("/run"), post(clients::run))
        .route(&at("/runsync"), post(clients::runsync))
        .route(&at("/status/{job}"), get(clients::status))
        .route(&at("/status-sync/{job}"), get(clients::status_sync).post(clients::status_sync))
        .route(&at("/stream/{job}"), get(clients::stream).post(clients::stream))
        .route(&at("/requests"), get(clients::requests))
        .route(&at("/cancel/{job}"), post(clients::cancel))
        .route(&at("/retry/{job}"), post(clients::retry))
        .route(&at("/purge-queue"), post(clients::purge))
        .route(&at("/health"), get(clients::health))
        .method_not_allowed_fallback(answer::wrong_method)
}

fn worker_routes(prefix: &str) -> Router<Arc<Door>> {
    let at = |path: &str| format!("{prefix}{path}");
    Router::new()
        .route(&at("/job-take/{worker}"), get(workers::take))
        .route(&at("/job-take-batch/{worker}"), get(workers::take_batch))
        .route(&at("/job-done/{worker}/{job}"), post(workers::done))
        .route(&at("/job-stream/{worker}/{job}"), post(workers::stream))
        .route(&at("/job-stop/{worker}"), get(workers::stop))
        .route(&at("/ping/{worker}"), get(workers::ping))
        .method_not_allowed_fallback(answer::wrong_method)
}
