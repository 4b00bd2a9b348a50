//! A server that writes down what a worker sends, head and body, and hands out jobs by script.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::HeaderMap;
use axum::response::Response;
use serde_json::Value;

/// One request.
#[derive(Debug, Clone)]
pub(crate) struct Seen {
    /// The method and the operation: `GET job-take`.
    pub(crate) operation: String,
    /// The path and the query as sent.
    pub(crate) target: String,
    pub(crate) headers: HeaderMap,
    /// The body as sent.
    pub(crate) body: String,
}

impl Seen {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }
}

/// What is handed out, and what was seen.
#[derive(Clone, Default)]
pub(crate) struct Recorder {
    jobs: Arc<Mutex<VecDeque<Value>>>,
    seen: Arc<Mutex<Vec<Seen>>>,
}

impl Recorder {
    /// Starts it with these answers to `job-take`, and gives its address.
    pub(crate) async fn start(answers: Vec<Value>) -> (Self, String) {
        let recorder = Self { jobs: Arc::new(Mutex::new(answers.into())), ..Self::default() };
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let router = Router::new().fallback(Self::handle).with_state(recorder.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        (recorder, address)
    }

    async fn handle(State(recorder): State<Self>, request: Request) -> Response {
        let target = request.uri().to_string();
        let operation = target.split('/').nth(3).unwrap_or_default();
        let operation = format!("{} {operation}", request.method());
        let headers = request.headers().clone();
        let body = axum::body::to_bytes(request.into_body(), usize::MAX).await.unwrap();
        let body = String::from_utf8(body.to_vec()).unwrap();
        let seen = Seen { operation: operation.clone(), target: target.clone(), headers, body };
        recorder.seen.lock().unwrap().push(seen);
        let answer = Response::builder().header("content-type", "application/json");
        if operation.starts_with("GET job-take") {
            let job = recorder.jobs.lock().unwrap().pop_front();
            let Some(job) = job else { return std::future::pending().await };
            // The scripts give a list to those who ask for several.
            let is_batch = operation.ends_with("-batch");
            let job = if is_batch && !job.is_array() { Value::Array(vec![job]) } else { job };
            return answer.body(Body::from(job.to_string())).unwrap();
        }
        if operation == "GET job-stop" {
            return std::future::pending().await;
        }
        answer.body(Body::from("{}")).unwrap()
    }

    pub(crate) fn all(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }

    /// Those of one operation, once there are that many.
    pub(crate) async fn at_least(&self, operation: &str, count: usize) -> Vec<Seen> {
        for _ in 0..6_000 {
            let of_it: Vec<Seen> =
                self.all().into_iter().filter(|seen| seen.operation == operation).collect();
            if of_it.len() >= count {
                return of_it;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("there were not {count} requests `{operation}`: {:#?}", self.all());
    }
}
