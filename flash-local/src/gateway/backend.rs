//! One worker that requests can go to.

use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use axum::body::Body;
use flash_core::clock::Timestamp;
use flash_core::ids::WorkerId;
use http::header::HOST;
use http::{HeaderValue, Request, Response, StatusCode};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use tokio::sync::Notify;

use super::connections::{Connections, Failure};

/// What the health path of a worker says (platform contract C).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Health {
    /// 200.
    Healthy,
    /// 204: it is on its way.
    Initialising,
    /// Something else.
    Unhealthy,
    /// Nobody answers.
    Silent,
}

impl fmt::Display for Health {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Healthy => "its health path answers 200",
            Self::Initialising => "its health path answers 204",
            Self::Unhealthy => "its health path answers something else than 200",
            Self::Silent => "its health path does not answer",
        })
    }
}

#[derive(Debug)]
pub(crate) struct Backend {
    pub(super) worker: WorkerId,
    /// `127.0.0.1:PORT`.
    pub(super) host: HeaderValue,
    connections: Connections,
    healthy: AtomicBool,
    in_flight: AtomicUsize,
    /// When a request came or went last, in Unix milliseconds.
    worked: AtomicU64,
    suspicion: Notify,
}

impl Backend {
    pub(crate) fn new(worker: WorkerId, port: u16) -> Self {
        let connections = Connections::to(port);
        let host = HeaderValue::from_str(&connections.address().to_string());
        Self {
            worker,
            // An address has no characters that a header can not have.
            host: host.unwrap_or_else(|_| HeaderValue::from_static("127.0.0.1")),
            connections,
            healthy: AtomicBool::new(false),
            in_flight: AtomicUsize::new(0),
            worked: AtomicU64::new(0),
            suspicion: Notify::new(),
        }
    }

    /// Asks the health path.
    pub(crate) async fn probe(&self, path: &str, timeout: Duration) -> Health {
        let Ok(request) = Request::get(path).header(HOST, self.host.clone()).body(Body::empty()) else {
            return Health::Silent;
        };
        let probe = async {
            let Ok(response) = self.connections.send(request).await else { return Health::Silent };
            let health = match response.status() {
                StatusCode::OK => Health::Healthy,
                StatusCode::NO_CONTENT => Health::Initialising,
                _ => Health::Unhealthy,
            };
            // Read to its end, so that the connection can be used again.
            let _ = response.into_body().collect().await;
            health
        };
        tokio::time::timeout(timeout, probe).await.unwrap_or(Health::Silent)
    }

    /// Somebody could not reach this worker.
    pub(crate) async fn suspicion(&self) {
        self.suspicion.notified().await;
    }

    /// This worker may be about to leave: its health is asked now and not at the next turn.
    pub(super) fn look(&self) {
        self.suspicion.notify_one();
    }

    /// Nothing more goes to this worker until its health was asked again.
    pub(super) fn suspect(&self) {
        self.set_healthy(false);
        self.suspicion.notify_one();
    }

    pub(super) async fn send(&self, request: Request<Body>) -> Result<Response<Incoming>, Failure> {
        self.connections.send(request).await
    }

    pub(super) fn is_healthy(&self) -> bool {
        self.healthy.load(Ordering::Acquire)
    }

    pub(super) fn set_healthy(&self, healthy: bool) {
        self.healthy.store(healthy, Ordering::Release);
    }

    pub(crate) fn in_flight(&self) -> usize {
        self.in_flight.load(Ordering::Relaxed)
    }

    /// When a request came or went last.
    pub(super) fn worked(&self) -> Option<Timestamp> {
        let worked = self.worked.load(Ordering::Relaxed);
        (worked > 0).then(|| Timestamp::from_millis(worked))
    }

    pub(super) fn enter(&self, now: Timestamp) {
        self.worked.fetch_max(now.as_millis(), Ordering::Relaxed);
        self.in_flight.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn leave(&self, now: Timestamp) {
        self.worked.fetch_max(now.as_millis(), Ordering::Relaxed);
        self.in_flight.fetch_sub(1, Ordering::Relaxed);
    }
}
