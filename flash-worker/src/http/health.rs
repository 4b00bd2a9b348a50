use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

use axum::Router;
use axum::body::Body;
use axum::routing::get;
use http::{HeaderValue, Response, StatusCode, header};

/// What the gateway is told when it asks whether this worker may get requests (platform contract C).
#[derive(Debug, Clone)]
pub struct Health {
    state: Arc<AtomicU8>,
    endpoint_id: Arc<str>,
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
}

impl Health {
    /// Initialising.
    #[must_use]
    pub fn new(endpoint_id: &str) -> Self {
        Self {
            state: Arc::new(AtomicU8::new(HealthState::Initializing as u8)),
            endpoint_id: endpoint_id.into(),
        }
    }

    /// Changes the state.
    pub fn set(&self, state: HealthState) {
        self.state.store(state as u8, Ordering::Release);
    }

    /// The route that answers at `path`.
    pub fn router(&self, path: &str) -> Router {
        let health = self.clone();
        Router::new().route(path, get(move || std::future::ready(health.answer())))
    }

    fn answer(&self) -> Response<Body> {
        let status = match self.state.load(Ordering::Acquire) {
            state if state == HealthState::Ready as u8 => StatusCode::OK,
            state if state == HealthState::Initializing as u8 => StatusCode::NO_CONTENT,
            _ => StatusCode::SERVICE_UNAVAILABLE,
        };
        let body = match status {
            StatusCode::NO_CONTENT => Body::empty(),
            StatusCode::OK => self.body("healthy"),
            _ => self.body("draining"),
        };
        let mut response = Response::new(body);
        *response.status_mut() = status;
        response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        response
    }

    fn body(&self, status: &str) -> Body {
        let json = serde_json::json!({ "status": status, "endpoint": "lb", "id": &*self.endpoint_id });
        Body::from(json.to_string())
    }
}
