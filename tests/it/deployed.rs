//! Remote calls that leave the process, against a peer that answers by script.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::response::Response;
use flash::CallError;
use flash_core::clock::TestClock;
use flash_core::{App, Registry, Scope, Secret};
use flash_platform::{Credentials, Deployed, HttpClient, Peers};
use flash_tests::{CheckError, Item, check, delete_item, item, put_item};
use serde_json::{Value, json};

use crate::events::Events;

/// What the peer was asked.
#[derive(Debug, Clone)]
pub(crate) struct Asked {
    pub(crate) line: String,
    pub(crate) authorization: Option<String>,
    pub(crate) headers: axum::http::HeaderMap,
    pub(crate) body: Value,
}

/// In place of a status: there is no answer.
pub(crate) const HELD: u16 = 0;

/// A peer with scripted answers.
#[derive(Clone, Default)]
pub(crate) struct Peer {
    pub(crate) answers: Arc<Mutex<VecDeque<(u16, String)>>>,
    /// What `/health` says; without it, it is answered like anything else.
    pub(crate) health: Arc<Mutex<Option<Value>>>,
    asked: Arc<Mutex<Vec<Asked>>>,
}

impl Peer {
    pub(crate) fn answering(answers: &[(u16, Value)]) -> Self {
        let answers = answers.iter().map(|(status, body)| (*status, body.to_string())).collect();
        Self { answers: Arc::new(Mutex::new(answers)), ..Self::default() }
    }

    async fn handle(State(peer): State<Self>, request: Request) -> Response {
        let line = format!("{} {}", request.method(), request.uri());
        let authorization = request.headers().get("authorization").map(|v| v.to_str().unwrap().to_owned());
        let headers = request.headers().clone();
        let body = axum::body::to_bytes(request.into_body(), usize::MAX).await.unwrap();
        let body = serde_json::from_slice(&body).unwrap_or(Value::Null);
        let health = if line.ends_with("/health") { peer.health.lock().unwrap().clone() } else { None };
        peer.asked.lock().unwrap().push(Asked { line, authorization, headers, body });
        if let Some(health) = health {
            return Response::new(Body::from(health.to_string()));
        }
        let (status, text) = peer.answers.lock().unwrap().pop_front().expect("more was asked than expected");
        if status == HELD {
            return std::future::pending().await;
        }
        let is_stream = text.starts_with("data:") || text.starts_with("event:");
        let kind = if is_stream { "text/event-stream" } else { "application/json" };
        let answer = Response::builder().status(status).header("content-type", kind);
        answer.body(Body::from(text)).unwrap()
    }

    /// Runs `call` as a program does whose peers are all this one, while time stands still.
    pub(crate) async fn run<T>(&self, call: impl Future<Output = T>) -> T {
        self.run_in_time(Duration::ZERO, call).await
    }

    /// The same, while time passes in such steps.
    pub(crate) async fn run_in_time<T>(&self, step: Duration, call: impl Future<Output = T>) -> T {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let router = Router::new().fallback(Self::handle).with_state(self.clone());
        let server = tokio::spawn(async move { axum::serve(listener, router).await });
        let addresses: BTreeMap<_, _> = ["mixed", "api", "counter"]
            .iter()
            .map(|name| ((*name).to_owned(), format!("{base}/{name}/")))
            .collect();
        let credentials = Credentials::new(Secret::new("fake-key"), addresses.values().cloned());
        let transport = Deployed::new(HttpClient::new(), credentials, Peers::new(addresses), None);
        let clock = TestClock::new();
        let app = App::new(Registry::linked().unwrap())
            .with_clock(clock.clock())
            .with_transport(Arc::new(transport));
        let scope = Scope::builder(app).request_id("test").build();
        let passing = async {
            loop {
                clock.advance(step).await;
                tokio::task::yield_now().await;
            }
        };
        let result = tokio::select! {
            result = scope.enter(call) => result,
            () = passing => unreachable!(),
        };
        server.abort();
        result
    }

    pub(crate) fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap().clone()
    }
}

#[tokio::test]
async fn a_queue_call_is_polled_to_its_end_and_only_the_status_decides() {
    let peer = Peer::answering(&[
        (200, json!({"id": "j1", "status": "IN_QUEUE"})),
        (200, json!({"id": "j1", "status": "IN_PROGRESS", "output": "50%"})),
        (500, json!({"error": "a moment please"})),
        (200, json!({"id": "j1", "status": "COMPLETED", "output": 3, "error": ""})),
    ]);
    let call = async { check::remote("abc".into()).await };
    assert_eq!(peer.run_in_time(Duration::from_millis(50), call).await.unwrap(), 3);
    let asked = peer.asked();
    assert_eq!(asked[0].line, "POST /mixed/runsync?wait=90000");
    // The endpoint has several functions, so the call names one.
    let input = &asked[0].body["input"];
    assert_eq!((&input["text"], &input["method"]), (&json!("abc"), &json!("check")));
    assert!(input["__flash"]["traceparent"].is_string(), "{input}");
    assert_eq!(asked[0].body.as_object().unwrap().len(), 1, "{input}");
    assert_eq!(asked[1].line, "GET /mixed/status/j1");
    assert!(asked.iter().all(|asked| asked.authorization.as_deref() == Some("Bearer fake-key")), "{asked:?}");
}

#[tokio::test]
async fn each_end_of_a_job_is_its_own_error() {
    let typed = json!({"error_type": "too_long", "error_message": "the text has 13 characters, the limit is 10",
        "error_traceback": "", "hostname": "h", "worker_id": "w", "runpod_version": "1",
        "flash": {"code": "too_long", "data": {"length": 13, "limit": 10}, "retryable": true, "terminal": false}});
    let failed = |error: String| json!({"id": "j", "status": "FAILED", "error": error});
    let call = async || check::remote("x".into()).await.unwrap_err();

    let error = Peer::answering(&[(200, failed(typed.to_string()))]).run(call()).await;
    let CallError::Remote(error) = error else { panic!("{error:?}") };
    assert_eq!(error, CheckError::TooLong { length: 13, limit: 10 });

    for (answer, code, part) in [
        (failed("job timed out after 1 retries".into()), "failed", "after 1 retries"),
        (json!({"id": "j", "status": "CANCELLED"}), "cancelled", "cancelled"),
        (json!({"id": "j", "status": "TIMED_OUT"}), "timeout", "not finished"),
        (json!({"id": "j", "status": "COMPLETED", "output": "three"}), "bad_answer", "expected usize"),
        (json!({"status": "COMPLETED"}), "bad_answer", "is not a job"),
    ] {
        let error = Peer::answering(&[(200, answer.clone())]).run(call()).await;
        let CallError::Transport(error) = error else { panic!("{error:?}") };
        assert_eq!(error.code(), code, "{answer}");
        assert!(error.message().contains(part), "{answer}: {}", error.message());
    }
}

#[tokio::test]
async fn what_the_platform_refuses_is_said_in_words() {
    for (status, code, part) in [
        (401, "unauthorized", "RUNPOD_API_KEY"),
        (404, "not_found", "no such endpoint"),
        (413, "payload_too_large", "too big"),
        (400, "invalid_request", "too big"),
        (429, "rate_limited", "too many requests"),
        (503, "unreachable", "too big"),
    ] {
        let peer = Peer::answering(&[(status, json!({"error": "too big"}))]);
        let error = peer.run(async { check::remote("x".into()).await }).await.unwrap_err();
        let CallError::Transport(error) = error else { panic!("{error:?}") };
        assert_eq!(error.code(), code, "{status}");
        assert!(error.message().contains(part), "{status}: {}", error.message());
        assert!(!format!("{error:?}").contains("fake-key"));
    }
}

#[tokio::test]
async fn a_call_ends_with_its_time_and_says_which() {
    let peer = Peer::answering(&[(200, json!({"id": "j1", "status": "IN_QUEUE"}))]);
    // Every look at the status says the same.
    let queued = (200, json!({"id": "j1", "status": "IN_QUEUE"}).to_string());
    peer.answers.lock().unwrap().extend(std::iter::repeat_n(queued, 1000));
    let call = async { check::remote("x".into()).timeout(Duration::from_secs(20)).await };
    let CallError::Transport(error) = peer.run_in_time(Duration::from_millis(50), call).await.unwrap_err()
    else {
        panic!()
    };
    assert_eq!(error.code(), "timeout");
    assert!(error.message().contains("20s"), "{}", error.message());
    // The callee hears when the answer is no longer wanted.
    assert!(peer.asked()[0].body["input"]["__flash"]["deadline_unix_ms"].is_u64());
}

#[tokio::test]
async fn a_route_call_fills_path_query_and_body() {
    let peer = Peer::answering(&[(200, json!([7, ["a b", "c/d"], true]))]);
    let tags = Some(vec!["a b".to_owned(), "c/d".to_owned()]);
    let answer = peer.run(async { item::remote(7, tags, true).await }).await.unwrap();
    assert_eq!(answer, (7, vec!["a b".to_owned(), "c/d".to_owned()], true));
    assert_eq!(peer.asked()[0].line, "GET /api/items/7?tags=a%20b&tags=c%2Fd&deep=true");

    let peer = Peer::answering(&[(201, json!([9, {"name": "n", "counts": []}]))]);
    let value = Item { name: "n".into(), counts: vec![] };
    peer.run(async { put_item::remote(9, value).await }).await.unwrap();
    assert_eq!(peer.asked()[0].line, "PUT /api/items/9");
    assert_eq!(peer.asked()[0].body, json!({"item": {"name": "n", "counts": []}}));

    let peer = Peer::answering(&[(204, Value::Null)]);
    peer.answers.lock().unwrap()[0].1.clear();
    peer.run(async { delete_item::remote(1).await }).await.unwrap();
}

#[tokio::test]
async fn a_problem_document_becomes_the_callees_own_error() {
    let problem = json!({"type": "about:blank", "title": "x", "status": 422, "detail": "the text is empty",
        "code": "empty", "terminal": true, "request_id": "r1"});
    let peer = Peer::answering(&[(422, problem)]);
    let error = peer.run(async { delete_item::remote(0).await }).await.unwrap_err();
    assert!(matches!(error, CallError::Remote(CheckError::Empty)), "{error:?}");

    // A gateway's own words are none of the function's.
    for (status, code) in [(502, "unreachable"), (503, "unreachable"), (429, "rate_limited")] {
        let peer = Peer::answering(&[(status, json!({"error": "no workers available"}))]);
        let error = peer.run(async { delete_item::remote(0).await }).await.unwrap_err();
        let CallError::Transport(error) = error else { panic!("{error:?}") };
        assert_eq!(error.code(), code, "{status}");
        let text = error.message();
        assert!(error.is_retryable() && text.contains("no workers available"), "{status}: {text}");
        // Only a gateway that had passed it on leaves a doubt.
        assert_eq!(error.is_in_doubt(), status == 502, "{status}");
    }
}

#[tokio::test]
async fn a_peer_without_an_address_and_one_that_is_gone_are_told_apart() {
    let deployed = |addresses: BTreeMap<String, String>| {
        let transport = Deployed::new(HttpClient::new(), Credentials::default(), Peers::new(addresses), None);
        App::new(Registry::linked().unwrap()).with_transport(Arc::new(transport))
    };
    let call = async |app: App| {
        let scope = Scope::builder(app).build();
        match scope.enter(async { check::remote("x".into()).await }).await {
            Err(CallError::Transport(error)) => error,
            other => panic!("{other:?}"),
        }
    };
    let error = call(deployed([("api".to_owned(), "http://127.0.0.1:1".to_owned())].into())).await;
    assert_eq!(error.code(), "no_address");
    assert!(error.message().contains("`mixed`") && error.message().contains("`api`"), "{}", error.message());

    // Bound, and closed again: nobody listens there.
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let error = call(deployed([("mixed".to_owned(), format!("http://127.0.0.1:{port}"))].into())).await;
    assert_eq!(error.code(), "unreachable");
    assert!(error.is_retryable() && error.message().contains(&port.to_string()), "{}", error.message());
}

#[tokio::test]
async fn arguments_over_the_limit_never_leave_with_their_size_told() {
    let peer = Peer::default();
    let error = peer.run(async { check::remote("x".repeat(20_000_000)).await }).await.unwrap_err();
    let CallError::Transport(error) = error else { panic!("{error:?}") };
    assert_eq!(error.code(), "payload_too_large");
    assert!(error.message().contains("20000011 bytes"), "{}", error.message());
    assert!(peer.asked().is_empty());
}

#[tokio::test]
async fn arguments_over_the_limit_of_a_route_never_leave_either() {
    let peer = Peer::default();
    let item = |bytes: usize| Item { name: "x".repeat(bytes), counts: vec![] };
    let size = json!({"id": 9, "item": item(0)}).to_string().len() + 30_000_000;
    let error = peer.run(async { put_item::remote(9, item(30_000_000)).await }).await.unwrap_err();
    let CallError::Transport(error) = error else { panic!("{error:?}") };
    assert_eq!(error.code(), "payload_too_large");
    let told = format!("{size} bytes is over the limit of 30000000 bytes");
    assert!(error.message().contains(&told), "{}", error.message());
    assert!(peer.asked().is_empty());
}

#[tokio::test]
async fn the_log_says_of_each_call_whether_it_leaves_and_why() {
    let (events, _listening) = Events::listen();
    check::remote("abc".into()).await.unwrap();
    let peer = Peer::answering(&[(200, json!({"id": "j1", "status": "COMPLETED", "output": 3}))]);
    peer.run(async { check::remote("abc".into()).await }).await.unwrap();
    let own = Some("mixed".to_owned());
    let owner = Deployed::new(HttpClient::new(), Credentials::default(), Peers::new(BTreeMap::new()), own);
    let app = App::new(Registry::linked().unwrap()).with_transport(Arc::new(owner));
    Scope::builder(app).build().enter(async { check::remote("abc".into()).await }).await.unwrap();

    let calls = events.with("remote call ");
    let whys = [
        "runs in this process: no deployment is configured",
        "goes to the endpoint: it is deployed, and this process does not own it",
        "runs in this process: this worker owns the endpoint",
    ];
    assert_eq!(calls.len(), whys.len(), "{calls:?}");
    for (call, why) in calls.iter().zip(whys) {
        for part in [why, "DEBUG flash_", "callee=\"check\"", "endpoint=\"mixed\"", "trace="] {
            assert!(call.contains(part), "{part}: {call}");
        }
    }
    assert!(calls[1].contains("address=\"http://127.0.0.1:"), "{}", calls[1]);
}
