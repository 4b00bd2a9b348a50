use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};

use axum::Router;
use axum::body::Body;
use axum::routing::get;
use http::{HeaderValue, Response, StatusCode, header};
use tokio::sync::Notify;

/// What the gateway is told when it asks whether this worker may get requests (platform contract C).
#[derive(Debug, Clone)]
pub struct Health {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    state: AtomicU8,
    /// Whether somebody has been told that the worker takes its leave.
    told: AtomicBool,
    telling: Notify,
    endpoint_id: String,
}

/// The states of a worker.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum HealthState {
    /// State is being built: 204.
    Initializing = 0,
    /// Requests are welcome: 200.
    Ready = 1,
    /// No new requests: 503.
    Draining = 2,
    /// A function said that the worker cannot go on: 503.
    Unhealthy = 3,
}

impl Health {
    /// Initialising.
    #[must_use]
    pub fn new(endpoint_id: &str) -> Self {
        Self {
            shared: Arc::new(Shared {
                state: AtomicU8::new(HealthState::Initializing as u8),
                told: AtomicBool::new(false),
                telling: Notify::new(),
                endpoint_id: endpoint_id.to_owned(),
            }),
        }
    }

    /// Changes the state.
    pub fn set(&self, state: HealthState) {
        self.shared.state.store(state as u8, Ordering::Release);
    }

    /// Waits until somebody who asked has been told that no more requests are welcome.
    pub(super) async fn told(&self) {
        loop {
            let telling = self.shared.telling.notified();
            if self.shared.told.load(Ordering::Acquire) {
                return;
            }
            telling.await;
        }
    }

    /// The route that answers at `path`.
    pub fn router(&self, path: &str) -> Router {
        let health = self.clone();
        Router::new().route(path, get(move || std::future::ready(health.answer())))
    }

    fn answer(&self) -> Response<Body> {
        let state = self.shared.state.load(Ordering::Acquire);
        let (status, word) = match state {
            state if state == HealthState::Initializing as u8 => (StatusCode::NO_CONTENT, None),
            state if state == HealthState::Ready as u8 => (StatusCode::OK, Some("healthy")),
            state if state == HealthState::Draining as u8 => {
                (StatusCode::SERVICE_UNAVAILABLE, Some("draining"))
            }
            _ => (StatusCode::SERVICE_UNAVAILABLE, Some("unhealthy")),
        };
        if status == StatusCode::SERVICE_UNAVAILABLE {
            self.shared.told.store(true, Ordering::Release);
            self.shared.telling.notify_waiters();
        }
        let Some(word) = word else {
            let mut response = Response::new(Body::empty());
            *response.status_mut() = status;
            return response;
        };
        let json = serde_json::json!({ "status": word, "endpoint": "lb", "id": self.shared.endpoint_id });
        let mut response = Response::new(Body::from(json.to_string()));
        *response.status_mut() = status;
        response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        response
    }
}
