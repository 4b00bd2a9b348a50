//! Where peers are: the environment, the State Manager, the gateway.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::http::HeaderMap;
use flash_core::clock::TestClock;
use flash_core::{App, DoorKind, Error, Registry, Scope, Secret};
use flash_platform::{Credentials, Deployed, Finder, Gateway, HttpClient, Peer, Peers, StateManager};
use flash_tests::check;
use serde_json::{Value, json};

/// A control plane with one environment.
#[derive(Clone, Default)]
struct ControlPlane {
    manifest: Arc<Mutex<Value>>,
    asked: Arc<Mutex<Vec<Value>>>,
    is_down: Arc<Mutex<bool>>,
}

impl ControlPlane {
    async fn start(manifest: Value) -> (Self, String) {
        let control = Self { manifest: Arc::new(Mutex::new(manifest)), ..Self::default() };
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let router = Router::new().fallback(Self::handle).with_state(control.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        (control, base)
    }

    async fn handle(State(control): State<Self>, body: String) -> (axum::http::StatusCode, String) {
        let body: Value = serde_json::from_str(&body).unwrap_or_default();
        control.asked.lock().unwrap().push(body.clone());
        if *control.is_down.lock().unwrap() {
            return (axum::http::StatusCode::BAD_GATEWAY, "down".to_owned());
        }
        let data = if body["query"].as_str().unwrap_or_default().contains("activeBuildId") {
            assert_eq!(body["variables"]["flashEnvironmentId"], "env-1");
            json!({"flashEnvironment": {"id": "env-1", "activeBuildId": "build-1"}})
        } else {
            assert_eq!(body["variables"]["input"], "build-1");
            json!({"flashBuild": {"id": "build-1", "manifest": *control.manifest.lock().unwrap()}})
        };
        (axum::http::StatusCode::OK, json!({ "data": data }).to_string())
    }

    fn questions(&self) -> usize {
        self.asked.lock().unwrap().len()
    }
}

fn manifest() -> Value {
    json!({
        "rust": {},
        "resources": {"gpu": {"endpoint_id": "abc"}, "api": {"endpoint_id": "def"}},
    })
}

fn state_manager(base: &str, key: Option<Secret>) -> StateManager {
    StateManager::new(HttpClient::new(), Credentials::new(key, [base.to_owned()]), base, "env-1")
}

fn finder(base: &str) -> Finder {
    let fixed = BTreeMap::from([("fixed".to_owned(), "http://127.0.0.1:1/fixed/".to_owned())]);
    Peers::finder(fixed)
        .state_manager(state_manager(base, Secret::new("fake-key")))
        .endpoint_base("http://127.0.0.1:2/v2")
        .lb_url_template("http://127.0.0.1:2/lb/{id}")
}

/// Finds a peer while time passes.
async fn find(peers: &Peers, clock: &TestClock, name: &str, door: DoorKind) -> Result<Peer, Error> {
    let time = clock.clock();
    let passing = async {
        loop {
            clock.advance(Duration::from_millis(20)).await;
            tokio::task::yield_now().await;
        }
    };
    tokio::select! {
        found = peers.find(&time, name, door) => found,
        () = passing => unreachable!(),
    }
}

#[tokio::test]
async fn the_environment_comes_first_then_the_state_manager_whose_answer_is_kept() {
    let (control, base) = ControlPlane::start(manifest()).await;
    let (peers, clock) = (finder(&base).build(), TestClock::new());
    let url = async |name: &str, door| find(&peers, &clock, name, door).await.unwrap().url;
    assert_eq!(url("fixed", DoorKind::Queue).await, "http://127.0.0.1:1/fixed");
    assert_eq!(control.questions(), 0, "nobody asks for what is known");
    assert_eq!(url("gpu", DoorKind::Queue).await, "http://127.0.0.1:2/v2/abc");
    assert_eq!(url("api", DoorKind::Http).await, "http://127.0.0.1:2/lb/def");
    assert_eq!(control.questions(), 2, "the environment and its build, once");
    let keys: Vec<String> =
        control.asked.lock().unwrap().iter().map(|asked| asked["query"].to_string()).collect();
    assert!(keys[0].contains("flashEnvironment") && keys[1].contains("flashBuild"), "{keys:?}");

    clock.advance(Duration::from_secs(260)).await;
    url("gpu", DoorKind::Queue).await;
    assert_eq!(control.questions(), 2);
    clock.advance(Duration::from_secs(75)).await;
    control.manifest.lock().unwrap()["resources_endpoints"] = json!({"api": "http://127.0.0.1:3/new"});
    assert_eq!(url("api", DoorKind::Http).await, "http://127.0.0.1:3/new");
    assert_eq!(control.questions(), 4, "after 300 s, give or take a tenth");
}

#[tokio::test]
async fn one_question_is_on_its_way_however_many_ask() {
    let (control, base) = ControlPlane::start(manifest()).await;
    let peers = finder(&base).build();
    let clock = TestClock::new();
    let many: Vec<_> = (0..20)
        .map(|_| {
            let (peers, clock) = (peers.clone(), clock.clock());
            tokio::spawn(async move { peers.find(&clock, "gpu", DoorKind::Queue).await.unwrap() })
        })
        .collect();
    for one in many {
        one.await.unwrap();
    }
    assert_eq!(control.questions(), 2);
}

#[tokio::test]
async fn an_old_answer_is_better_than_none() {
    let (control, base) = ControlPlane::start(manifest()).await;
    let (peers, clock) = (finder(&base).build(), TestClock::new());
    find(&peers, &clock, "gpu", DoorKind::Queue).await.unwrap();
    *control.is_down.lock().unwrap() = true;
    clock.advance(Duration::from_secs(400)).await;
    assert_eq!(find(&peers, &clock, "gpu", DoorKind::Queue).await.unwrap().url, "http://127.0.0.1:2/v2/abc");
    let questions = control.questions();
    assert_eq!(questions, 3, "it was asked");
    find(&peers, &clock, "gpu", DoorKind::Queue).await.unwrap();
    assert_eq!(control.questions(), questions, "and is left in peace for a while");
}

#[tokio::test]
async fn a_peer_without_an_address_is_waited_for() {
    let (control, base) = ControlPlane::start(manifest()).await;
    let (peers, clock) = (finder(&base).build(), TestClock::new());
    let deploying = {
        let (control, clock) = (control.clone(), clock.clone());
        let start = clock.now();
        tokio::spawn(async move {
            while clock.now().since(start) < Duration::from_secs(5) {
                tokio::task::yield_now().await;
            }
            control.manifest.lock().unwrap()["resources"]["late"] = json!({"endpoint_id": "xyz"});
        })
    };
    let peer = find(&peers, &clock, "late", DoorKind::Queue).await.unwrap();
    assert_eq!(peer.url, "http://127.0.0.1:2/v2/xyz");
    deploying.await.unwrap();

    let start = clock.now();
    let error = find(&peers, &clock, "never", DoorKind::Queue).await.unwrap_err();
    assert!(clock.now().since(start) >= Duration::from_secs(30));
    assert_eq!(error.code(), "no_address");
    for part in ["`never`", "`fixed`", "environment `env-1`", "`gpu`", "help: "] {
        assert!(error.message().contains(part), "{part}: {}", error.message());
    }
}

#[tokio::test]
async fn without_a_key_nobody_is_asked_and_the_gateway_knows_all_names() {
    let (control, base) = ControlPlane::start(manifest()).await;
    let clock = TestClock::new();
    let peers = Peers::finder(BTreeMap::new()).state_manager(state_manager(&base, None)).build();
    let error = find(&peers, &clock, "gpu", DoorKind::Queue).await.unwrap_err();
    assert!(error.message().contains("not asked without RUNPOD_API_KEY"), "{}", error.message());

    let gateway = Gateway { app: "shop".to_owned(), environment: "staging".to_owned() };
    let peers = Peers::finder(BTreeMap::new()).gateway(gateway).build();
    let peer = find(&peers, &clock, "gpu", DoorKind::Queue).await.unwrap();
    assert_eq!(peer.url, "https://api.runpod.ai/v2/flash");
    let header =
        |name: &str| peer.headers.iter().find(|(known, _)| *known == name).map(|(_, value)| value.as_str());
    assert_eq!(header("x-flash-app"), Some("shop"));
    assert_eq!(header("x-flash-environment"), Some("staging"));
    assert_eq!(header("x-flash-endpoint"), Some("gpu"));
    let peer = find(&peers, &clock, "api", DoorKind::Http).await.unwrap();
    assert_eq!(peer.url, "https://flash.api.runpod.ai");
    assert_eq!(control.questions(), 0);
}

#[tokio::test]
async fn an_address_where_nobody_is_leads_to_another_question() {
    // Who answers there is the control plane itself, with something that is a job.
    let (control, base) = ControlPlane::start(Value::Null).await;
    let job = Router::new().fallback(|| async { r#"{"id":"j1","status":"COMPLETED","output":5}"# });
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, job).await });
    *control.manifest.lock().unwrap() = json!({"resources_endpoints": {"mixed": address}});

    // Bound, and closed again: nobody listens there.
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let old = BTreeMap::from([("mixed".to_owned(), format!("http://127.0.0.1:{port}"))]);
    let key = Secret::new("fake-key");
    let peers = Peers::finder(old).state_manager(state_manager(&base, key.clone())).build();
    let transport = Deployed::new(HttpClient::new(), Credentials::new(key, []), peers, None);
    let app = App::new(Registry::linked().unwrap()).with_transport(Arc::new(transport));
    let scope = Scope::builder(app).build();
    let answer = scope.enter(async { check::remote("x".into()).await }).await.unwrap();
    assert_eq!(answer, 5);
}

/// What a queue endpoint is sent, the key and the job's input, when the environment or a record with this manifest names
/// its address.
async fn sent_to_a_peer(record: Option<Value>) -> (Option<String>, Value) {
    let seen = Arc::new(Mutex::new(None));
    let queue = {
        let seen = Arc::clone(&seen);
        move |headers: HeaderMap, body: String| {
            let key = headers.get("authorization").map(|key| key.to_str().unwrap().to_owned());
            let mut body: Value = serde_json::from_str(&body).unwrap();
            *seen.lock().unwrap() = Some((key, body["input"].take()));
            std::future::ready(r#"{"id":"j1","status":"COMPLETED","output":5}"#)
        }
    };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let router = Router::new().fallback(queue);
    tokio::spawn(async move { axum::serve(listener, router).await });
    let peers = match record {
        None => Peers::new(BTreeMap::from([("mixed".to_owned(), address)])),
        Some(mut manifest) => {
            manifest["resources_endpoints"] = json!({"mixed": address});
            let (_, base) = ControlPlane::start(manifest).await;
            Peers::finder(BTreeMap::new())
                .state_manager(state_manager(&base, Secret::new("fake-key")))
                .build()
        }
    };
    let credentials = Credentials::new(Secret::new("fake-key"), []);
    let transport = Deployed::new(HttpClient::new(), credentials, peers, None);
    let app = App::new(Registry::linked().unwrap()).with_transport(Arc::new(transport));
    let answer = Scope::builder(app).build().enter(async { check::remote("x".into()).await }).await;
    assert_eq!(answer.unwrap(), 5);
    seen.lock().unwrap().take().unwrap()
}

#[tokio::test]
async fn an_address_that_only_a_record_names_does_not_get_the_key() {
    assert_eq!(sent_to_a_peer(None).await.0.as_deref(), Some("Bearer fake-key"));
    assert_eq!(sent_to_a_peer(Some(json!({"rust": {}}))).await.0, None);
}

#[tokio::test]
async fn only_peers_that_read_it_are_sent_the_envelope() {
    let (_, input) = sent_to_a_peer(Some(json!({"rust": {}}))).await;
    assert!(input["__flash"]["traceparent"].is_string(), "{input}");
    // A program of Python, whose handler would take it for an argument.
    let (_, input) = sent_to_a_peer(Some(json!({}))).await;
    assert_eq!(input, json!({"text": "x", "method": "check"}));
}
