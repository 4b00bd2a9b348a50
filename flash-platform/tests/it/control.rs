//! What is asked, and what is made of each answer.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use flash_core::Secret;
use flash_platform::control::{
    ApiKey, Backoff, ControlError, EndpointInput, KeySource, Platform, RunPod, TemplateInput, Urls,
};
use serde_json::{Value, json};

/// What was asked: method, path with query, authorization, body.
pub(crate) type Asked = (Method, String, Option<String>, Vec<u8>);
pub(crate) type Answer = (u16, Vec<(&'static str, String)>, String);

/// A server that gives these answers in their order, and the last one for ever.
pub(crate) struct Scripted {
    pub(crate) base: String,
    asked: Arc<Mutex<Vec<Asked>>>,
}

pub(crate) async fn scripted(answers: Vec<Answer>) -> Scripted {
    let asked = Arc::new(Mutex::new(Vec::new()));
    let seen = asked.clone();
    let left = Arc::new(Mutex::new(VecDeque::from(answers)));
    let app = Router::new().fallback(move |method: Method, uri: Uri, headers: HeaderMap, body: Bytes| {
        let key = headers.get("authorization").map(|value| value.to_str().unwrap().to_owned());
        seen.lock().unwrap().push((method, uri.to_string(), key, body.to_vec()));
        let mut left = left.lock().unwrap();
        let (status, headers, body) =
            if left.len() > 1 { left.pop_front().unwrap() } else { left.front().unwrap().clone() };
        let mut answer = axum::http::Response::builder().status(StatusCode::from_u16(status).unwrap());
        for (name, value) in headers {
            answer = answer.header(name, value);
        }
        async move { answer.body(axum::body::Body::from(body)).unwrap() }
    });
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, app).await });
    Scripted { base, asked }
}

impl Scripted {
    fn client(&self) -> RunPod {
        let secret = Secret::new("fake-key-for-tests").unwrap();
        let key = ApiKey { secret, source: KeySource::Environment };
        RunPod::new(Urls::at(&self.base), Some(key), Backoff::default().with_first(Duration::from_millis(1)))
    }

    pub(crate) fn count(&self) -> usize {
        self.asked.lock().unwrap().len()
    }

    pub(crate) fn body(&self, at: usize) -> Value {
        serde_json::from_slice(&self.asked.lock().unwrap()[at].3).unwrap()
    }
}

pub(crate) fn answer(status: u16, body: Value) -> Answer {
    (status, vec![("content-type", "application/json".to_owned())], body.to_string())
}

pub(crate) fn data(data: Value) -> Answer {
    answer(200, json!({"data": data}))
}

fn failed(message: &str) -> Answer {
    answer(200, json!({"data": null, "errors": [{"message": message}]}))
}

#[tokio::test]
async fn questions_are_asked_again_and_creations_are_not() {
    let trouble = answer(502, json!({"error": "bad gateway"}));
    let server = scripted(vec![
        trouble.clone(),
        trouble.clone(),
        data(json!({"flashAppByName": {"id": "a", "name": "x"}})),
    ])
    .await;
    assert_eq!(server.client().app("x").await.unwrap().unwrap().id, "a");
    assert_eq!(server.count(), 3);

    let server = scripted(vec![trouble.clone()]).await;
    let error = server.client().app("x").await.unwrap_err();
    assert_eq!(server.count(), 4);
    assert!(matches!(&error, ControlError::Unreachable { tries: 4, .. }), "{error}");

    // Nobody knows whether it exists now, so creating it again could make two.
    let server = scripted(vec![trouble]).await;
    let error = server.client().create_app("x").await.unwrap_err();
    assert!(error.is_ambiguous() && server.count() == 1, "{error}");
}

#[tokio::test]
async fn messages_that_mean_later_are_tried_again() {
    let server = scripted(vec![
        failed("Something broke, try again later"),
        data(json!({"deployBuildToEnvironment": {"id": "e"}})),
    ])
    .await;
    server.client().activate("e", "b").await.unwrap();
    assert_eq!(server.count(), 2);
    let server = scripted(vec![failed("build and environment belong to different apps")]).await;
    let error = server.client().activate("e", "b").await.unwrap_err();
    assert!(matches!(&error, ControlError::Refused { .. }) && server.count() == 1, "{error}");
    assert!(error.to_string().contains("different apps"), "{error}");
}

#[tokio::test]
async fn what_does_not_exist_is_none_and_no_error() {
    let client = |answers| async { scripted(answers).await };
    let server = client(vec![failed("App not found")]).await;
    assert_eq!(server.client().app("x").await.unwrap(), None);
    let server = client(vec![data(json!({"flashEnvironmentByName": null}))]).await;
    assert_eq!(server.client().environment("a", "x").await.unwrap(), None);
    let server =
        client(vec![answer(404, json!({"title": "Not Found", "status": 404, "detail": "gone"}))]).await;
    assert!(server.client().endpoint("x").await.unwrap().is_none());
    server.client().delete_endpoint("x").await.unwrap();
}

#[tokio::test]
async fn a_refused_key_names_its_source_and_never_itself() {
    for status in [401, 403] {
        let server = scripted(vec![answer(
            status,
            json!({"title": "Unauthorized", "status": status, "detail": "no"}),
        )])
        .await;
        let error = server.client().endpoints().await.unwrap_err();
        assert!(error.is_unauthorized() && server.count() == 1, "{error}");
        let text = format!("{error} {error:?}");
        assert!(text.contains("RUNPOD_API_KEY in the environment"), "{text}");
        assert!(!text.contains("fake-key-for-tests"), "{text}");
    }
}

#[tokio::test]
async fn the_platform_says_when_to_come_back() {
    let later = |name: &'static str, value: &str| -> Answer {
        (
            429,
            vec![(name, value.to_owned())],
            json!({"title": "Too Many Requests", "status": 429, "detail": "slow"}).to_string(),
        )
    };
    let server = scripted(vec![
        later("retry-after", "0"),
        later("ratelimit", "\"default\";r=0;t=0"),
        answer(200, json!({"endpoints": []})),
    ])
    .await;
    assert_eq!(server.client().endpoints().await.unwrap(), []);
    assert_eq!(server.count(), 3);
    // A creation too: the platform says that it did nothing.
    let server =
        scripted(vec![later("retry-after", "0"), data(json!({"createFlashApp": {"id": "a", "name": "x"}}))])
            .await;
    assert_eq!(server.client().create_app("x").await.unwrap().id, "a");
    // Nobody waits for an hour.
    let server = scripted(vec![later("retry-after", "3600")]).await;
    let error = server.client().endpoints().await.unwrap_err();
    assert!(error.to_string().contains("3600 s") && server.count() == 1, "{error}");
}

#[tokio::test]
async fn a_problem_is_told_with_all_its_reasons() {
    let problem = json!({"title": "Bad Request", "status": 422, "detail": "invalid", "errors": ["workers.max is 0", "name is empty"]});
    let server = scripted(vec![answer(422, problem)]).await;
    let error = server.client().create_volume("v", 10, "EU-RO-1").await.unwrap_err().to_string();
    for part in ["invalid", "workers.max is 0", "name is empty"] {
        assert!(error.contains(part), "{error}");
    }
    let server = scripted(vec![(200, vec![], "<html>".to_owned())]).await;
    let error = server.client().endpoints().await.unwrap_err();
    assert!(matches!(&error, ControlError::BadAnswer { .. }), "{error}");
}

#[tokio::test]
async fn all_pages_of_a_list_are_read() {
    let server = scripted(vec![
        answer(200, json!({"endpoints": [{"id": "1"}], "nextCursor": "c &2"})),
        answer(200, json!({"endpoints": [{"id": "2"}], "nextCursor": null})),
    ])
    .await;
    let ids: Vec<_> =
        server.client().endpoints().await.unwrap().into_iter().map(|endpoint| endpoint.id).collect();
    assert_eq!(ids, ["1", "2"]);
    assert_eq!(server.asked.lock().unwrap()[1].1, "/v2/serverless?cursor=c%20%262");
}

fn upload_answers(base: &str, puts: Vec<Answer>) -> Vec<Answer> {
    let ticket = json!({"uploadUrl": format!("{base}/store/x?signature=fake-secret"), "objectKey": "k", "expiresAt": "later"});
    let mut all = vec![data(json!({"prepareFlashArtifactUpload": ticket}))];
    all.extend(puts);
    all.push(data(json!({"finalizeFlashArtifactUpload": {"id": "build", "manifest": {}}})));
    all
}

#[tokio::test]
async fn an_upload_is_tried_again_and_tells_how_far_it_is() {
    let store = scripted(vec![answer(503, json!({})), answer(200, json!({}))]).await;
    let server = scripted(upload_answers(&store.base, vec![])).await;
    let file = tempfile::NamedTempFile::new().unwrap();
    let bytes: Vec<u8> = (0..700_000u32).map(|i| u8::try_from(i % 251).unwrap()).collect();
    std::fs::write(file.path(), &bytes).unwrap();
    let heard = Mutex::new(Vec::new());
    let progress = |sent, of| heard.lock().unwrap().push((sent, of));
    let build =
        server.client().upload("app", file.path(), json!({"version": "1.0"}), &progress).await.unwrap();
    assert_eq!(build, "build");
    assert_eq!(heard.lock().unwrap().last(), Some(&(700_000, 700_000)));
    assert_eq!(server.body(0)["variables"]["input"], json!({"flashAppId": "app", "tarballSize": 700_000}));
    assert_eq!(server.body(1)["variables"]["input"]["objectKey"], "k");
    let puts = store.asked.lock().unwrap();
    assert_eq!(puts.len(), 2);
    for (method, _, key, body) in puts.iter() {
        // The address is the key here; the account's own goes nowhere else.
        assert_eq!((method, key, body), (&Method::PUT, &None, &bytes));
    }
}

#[tokio::test]
async fn a_store_that_cannot_be_reached_is_no_place_for_the_secret() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let server = scripted(upload_answers("http://127.0.0.1:1", vec![])).await;
    let error = server.client().upload("app", file.path(), json!({}), &|_, _| {}).await.unwrap_err();
    let text = format!("{error} {error:?}");
    assert!(matches!(&error, ControlError::Unreachable { tries: 3, .. }), "{text}");
    assert!(!text.contains("fake-secret"), "{text}");
}

fn input() -> EndpointInput {
    EndpointInput {
        name: "app-staging-words".to_owned(),
        kind: "LB".to_owned(),
        instance_ids: Some(vec!["cpu3c-1-2".to_owned()]),
        scaler_type: "REQUEST_COUNT".to_owned(),
        scaler_value: 4,
        workers_max: 1,
        idle_timeout: 60,
        flash_boot_type: "FLASHBOOT".to_owned(),
        flash_environment_id: Some("env".to_owned()),
        template: TemplateInput {
            image: "image".to_owned(),
            disk_gb: 20,
            env: [("FLASH_APP".to_owned(), "app".to_owned())].into(),
            ..TemplateInput::default()
        },
        ..EndpointInput::default()
    }
}

#[tokio::test]
async fn a_new_endpoint_carries_its_template_and_nothing_of_other_hardware() {
    let server = scripted(vec![data(
        json!({"saveEndpoint": {"id": "ep", "name": "n", "templateId": "t", "aiKey": "secret"}}),
    )])
    .await;
    let saved = server.client().create_endpoint(&input()).await.unwrap();
    assert_eq!((saved.id.as_str(), saved.template_id.as_deref()), ("ep", Some("t")));
    let sent = server.body(0)["variables"]["input"].clone();
    assert_eq!(sent["template"]["env"], json!([{"key": "FLASH_APP", "value": "app"}]));
    assert_eq!((sent["type"].as_str(), sent["flashEnvironmentId"].as_str()), (Some("LB"), Some("env")));
    // A CPU payload with GPU fields is refused by the platform, and so are template and templateId together.
    for absent in ["id", "templateId", "gpuIds", "gpuCount", "minCudaVersion"] {
        assert!(sent.get(absent).is_none(), "{absent}");
    }
}

#[tokio::test]
async fn an_update_keeps_the_ports_that_the_platform_wrote_once() {
    let server = scripted(vec![
        data(json!({"myself": {"endpoint": {"id": "ep", "templateId": "t"}}})),
        data(json!({"saveEndpoint": {"id": "ep", "name": "n", "templateId": "t"}})),
        data(json!({"podTemplate": {"id": "t", "name": "the-template", "env": [
            {"key": "PORT", "value": "80"}, {"key": "PORT_HEALTH", "value": "80"}, {"key": "REMOVED", "value": "x"},
        ]}})),
        data(json!({"saveTemplate": {"id": "t", "name": "the-template"}})),
    ])
    .await;
    server.client().update_endpoint("ep", &input()).await.unwrap();
    let saved = server.body(1)["variables"]["input"].clone();
    assert_eq!((saved["id"].as_str(), saved["templateId"].as_str()), (Some("ep"), Some("t")));
    assert!(saved.get("template").is_none());
    let template = server.body(3)["variables"]["input"].clone();
    assert_eq!(template["name"], "the-template");
    let keys: Vec<_> =
        template["env"].as_array().unwrap().iter().map(|variable| variable["key"].clone()).collect();
    assert_eq!(keys, ["FLASH_APP", "PORT", "PORT_HEALTH"]);
}

#[tokio::test]
async fn the_key_goes_to_the_platform_as_a_bearer() {
    let server = scripted(vec![answer(200, json!({"endpoints": []}))]).await;
    server.client().endpoints().await.unwrap();
    assert_eq!(server.asked.lock().unwrap()[0].2.as_deref(), Some("Bearer fake-key-for-tests"));
    let without = RunPod::new(Urls::at(&server.base), None, Backoff::default());
    without.endpoints().await.unwrap();
    assert_eq!(server.asked.lock().unwrap()[1].2, None);
}

#[tokio::test]
async fn a_login_tells_its_key_to_the_caller_alone() {
    let pending = data(json!({"flashAuthRequestStatus": {"id": "l", "status": "PENDING", "apiKey": null}}));
    let approved =
        data(json!({"flashAuthRequestStatus": {"id": "l", "status": "APPROVED", "apiKey": "fake-new-key"}}));
    let created =
        data(json!({"createFlashAuthRequest": {"id": "l", "status": "PENDING", "expiresAt": "later"}}));
    let server = scripted(vec![created, pending, approved]).await;
    let client = RunPod::new(Urls::at(&server.base), None, Backoff::default());
    let request = client.create_login().await.unwrap();
    assert_eq!(client.login(&request.id).await.unwrap().api_key, None);
    let done = client.login(&request.id).await.unwrap();
    assert_eq!((done.status.as_str(), done.api_key.as_deref()), ("APPROVED", Some("fake-new-key")));
    assert!(!format!("{done:?}").contains("fake-new-key"));
    assert!(server.asked.lock().unwrap().iter().all(|asked| asked.2.is_none()));
}

#[tokio::test]
async fn a_template_is_read_without_graphql() {
    let template =
        json!({"id": "t", "name": "n", "image": "r/base:1", "disk": 30, "env": {"A": "1"}, "registry": "c"});
    let server = scripted(vec![answer(200, template)]).await;
    let found = server.client().template("t").await.unwrap();
    assert_eq!((found.image.as_str(), found.disk_gb, found.env["A"].as_str()), ("r/base:1", 30, "1"));
    assert_eq!(found.registry_auth_id.as_deref(), Some("c"));
    assert_eq!(server.asked.lock().unwrap()[0].1, "/v2/templates/t");
}

/// The stream of a log never ends, and neither does a worker that prints all the time: what came so far is the answer.
#[tokio::test]
async fn a_log_that_goes_on_is_cut_off() {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        // The request, which is small.
        assert!(stream.read(&mut [0; 4_096]).await.unwrap() > 0);
        stream
            .write_all(b"HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-type: text/event-stream\r\n\r\n")
            .await
            .unwrap();
        let line = format!("data: {{\"source\": \"container\", \"line\": \"{}\"}}\n\n", "x".repeat(8_000));
        while stream.write_all(line.as_bytes()).await.is_ok() {}
    });
    let client = RunPod::new(Urls::at(&base), None, Backoff::default());
    let lines = client.logs("e", "w", 10).await.unwrap();
    assert!((500..4_000).contains(&lines.len()) && lines[0].line.len() == 8_000, "{}", lines.len());
}
