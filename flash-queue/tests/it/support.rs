//! A server on a free port, a client, and payloads.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::{Request, StatusCode};
use flash_core::clock::{Clock, TestClock};
use flash_core::ids::{EndpointId, WorkerId};
use flash_core::wire::DoneBody;
use flash_queue::routes::{self, Auth};
use flash_queue::{Limits, MemoryStore, Payload, Queue, QueueOptions, Queues, Submission};
use http_body_util::BodyExt;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde_json::Value;

pub(crate) const SECOND: Duration = Duration::from_secs(1);

pub(crate) fn payload(json: &str) -> Payload {
    Payload::from_json(json).unwrap()
}

pub(crate) fn submission(json: &str) -> Submission {
    Submission::new(payload(json))
}

pub(crate) fn output(json: &str) -> DoneBody<Payload> {
    DoneBody::output(payload(json))
}

pub(crate) fn worker(name: &str) -> WorkerId {
    name.into()
}

pub(crate) fn queues(clock: Clock, limits: Limits) -> Queues {
    Queues::new(Arc::new(MemoryStore::new(&limits)), clock, limits)
}

pub(crate) async fn open(queues: &Queues, endpoint: &str) -> Queue {
    queues.open(EndpointId::from(endpoint), QueueOptions::new()).await.unwrap()
}

/// One queue on a clock that stands still.
pub(crate) async fn queue_at_rest() -> (TestClock, Queues, Queue) {
    let test = TestClock::new();
    let queues = queues(test.clock(), Limits::default());
    let queue = open(&queues, "ep").await;
    (test, queues, queue)
}

/// A server with the endpoint `ep` (at `/v2/ep`, and as a single one at `/inference`).
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    pub(crate) queue: Queue,
    client: Client<HttpConnector, Body>,
}

#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) body: Value,
}

impl Server {
    pub(crate) async fn start() -> Self {
        Self::with(Clock::real(), Limits::default(), Auth::open()).await
    }

    pub(crate) async fn with(clock: Clock, limits: Limits, auth: Auth) -> Self {
        let queues = queues(clock, limits);
        let queue = open(&queues, "ep").await;
        let app: Router = Router::new()
            .nest("/inference", routes::client(queue.clone(), auth.clone()))
            .merge(routes::platform(queues, auth));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
        Self { address, queue, client: Client::builder(TokioExecutor::new()).build_http() }
    }

    pub(crate) async fn send(&self, request: Request<Body>) -> Answer {
        let response = self.client.request(request).await.unwrap();
        let status = response.status();
        let kind = response.headers().get("content-type").map(|kind| kind.to_str().unwrap().to_owned());
        let text = response.into_body().collect().await.unwrap().to_bytes();
        if text.is_empty() {
            return Answer { status, body: Value::Null };
        }
        assert_eq!(kind.as_deref(), Some("application/json"));
        Answer { status, body: serde_json::from_slice(&text).unwrap() }
    }

    /// The response itself, for its headers.
    pub(crate) async fn raw(
        &self,
        method: &str,
        path: &str,
        body: &'static str,
    ) -> axum::http::Response<hyper::body::Incoming> {
        self.client.request(self.request(method, path).body(Body::from(body)).unwrap()).await.unwrap()
    }

    pub(crate) fn request(&self, method: &str, path: &str) -> axum::http::request::Builder {
        Request::builder().method(method).uri(format!("http://{}{path}", self.address))
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.send(self.request("GET", path).body(Body::empty()).unwrap()).await
    }

    pub(crate) async fn post(&self, path: &str, body: impl Into<Body>) -> Answer {
        self.send(self.request("POST", path).body(body.into()).unwrap()).await
    }
}

impl Answer {
    /// The body of an answer that must be 200.
    #[track_caller]
    pub(crate) fn ok(self) -> Value {
        assert_eq!(self.status, StatusCode::OK, "{}", self.body);
        self.body
    }

    /// The text of an answer that must be a refusal.
    #[track_caller]
    pub(crate) fn refused(self, status: u16) -> String {
        assert_eq!(self.status.as_u16(), status, "{}", self.body);
        self.body["error"].as_str().unwrap().to_owned()
    }
}
