//! The whole program over HTTP: every verb, its successes and its refusals.

#![allow(clippy::unwrap_used, reason = "a test that panics has failed, and says where")]

use flash::platform::HttpClient;
use flash::testing::LocalApp;
use load_balancer as _;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

struct Client {
    app: LocalApp,
    http: HttpClient,
}

impl Client {
    async fn start() -> Self {
        Self { app: LocalApp::start().await.unwrap(), http: HttpClient::new() }
    }

    async fn send(&self, method: Method, path: &str, body: Option<Value>) -> (StatusCode, Value) {
        let url = format!("{}/03_05_load_balancer_{path}", self.app.url());
        let mut request = self.http.request(method, &url).unwrap();
        if let Some(body) = body {
            request = request.header("content-type", "application/json").body(body.to_string());
        }
        let response = request.send().await.unwrap();
        let status = response.status();
        let text = response.text().await.unwrap();
        (status, serde_json::from_str(&text).unwrap_or(Value::Null))
    }

    async fn get(&self, path: &str) -> (StatusCode, Value) {
        self.send(Method::GET, path, None).await
    }

    async fn post(&self, path: &str, body: Value) -> (StatusCode, Value) {
        self.send(Method::POST, path, Some(body)).await
    }
}

#[tokio::test]
async fn both_endpoints_say_who_they_are() {
    let client = Client::start().await;
    let healthy = |service: &str| (StatusCode::OK, json!({"status": "healthy", "service": service}));
    assert_eq!(client.get("cpu/health").await, healthy("cpu"));
    assert_eq!(client.get("gpu/health").await, healthy("gpu"));
    let (status, info) = client.get("gpu/info").await;
    assert_eq!((status, info["available"].is_boolean()), (StatusCode::OK, true));
}

#[tokio::test]
async fn text_is_counted_and_changed() {
    let client = Client::start().await;
    let (status, found) = client.post("cpu/validate", json!({"text": "Hello Flash"})).await;
    assert_eq!((status, &found["word_count"]), (StatusCode::OK, &json!(2)));
    let (_, made) = client.post("cpu/transform", json!({"text": "hello"})).await;
    assert_eq!((&made["transformed"], &made["operation"]), (&json!("HELLO"), &json!("uppercase")));
    let (_, made) = client.post("cpu/transform", json!({"text": "hello", "operation": "reverse"})).await;
    assert_eq!(made["transformed"], "olleh");

    let (status, problem) = client.post("cpu/validate", json!({"text": " "})).await;
    assert_eq!((status, &problem["code"]), (StatusCode::BAD_REQUEST, &json!("empty_text")));
    let (status, problem) = client.post("cpu/transform", json!({"text": "a", "operation": "shout"})).await;
    assert_eq!(
        (status, &problem["errors"][0]["path"]),
        (StatusCode::UNPROCESSABLE_ENTITY, &json!("body.operation"))
    );
}

#[tokio::test]
async fn every_verb_has_its_note() {
    let client = Client::start().await;
    let url = format!("{}/03_05_load_balancer_cpu/notes", client.app.url());
    let request = client.http.request(Method::POST, &url).unwrap();
    let body = r#"{"title": "milk", "text": "two litres"}"#;
    let response = request.header("content-type", "application/json").body(body).send().await.unwrap();
    assert_eq!(response.status(), StatusCode::CREATED);
    assert_eq!(response.headers()["location"], "notes/1");
    let note: Value = serde_json::from_str(&response.text().await.unwrap()).unwrap();
    assert_eq!(note, json!({"id": 1, "title": "milk", "text": "two litres"}));

    assert_eq!(client.get("cpu/notes/1").await, (StatusCode::OK, note.clone()));
    assert_eq!(client.get("cpu/notes?containing=milk&limit=1").await, (StatusCode::OK, json!([note])));
    let (status, note) = client.send(Method::PUT, "cpu/notes/1", Some(json!({"title": "bread"}))).await;
    assert_eq!((status, note), (StatusCode::OK, json!({"id": 1, "title": "bread", "text": ""})));
    let (_, note) = client.send(Method::PATCH, "cpu/notes/1", Some(json!({"text": "rye"}))).await;
    assert_eq!(note, json!({"id": 1, "title": "bread", "text": "rye"}));
    assert_eq!(client.send(Method::DELETE, "cpu/notes/1", None).await, (StatusCode::NO_CONTENT, Value::Null));

    for (method, body) in [
        (Method::GET, None),
        (Method::PUT, Some(json!({"title": "x"}))),
        (Method::PATCH, Some(json!({}))),
        (Method::DELETE, None),
    ] {
        let (status, problem) = client.send(method.clone(), "cpu/notes/1", body).await;
        assert_eq!((status, &problem["data"]), (StatusCode::NOT_FOUND, &json!({"id": 1})), "{method}");
    }
    let (status, problem) = client.send(Method::PUT, "cpu/notes/x", Some(json!({"titel": "x"}))).await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(problem["detail"].as_str().unwrap().contains("path.id"), "{problem}");
    let (status, _) = client.send(Method::DELETE, "cpu/notes", None).await;
    assert_eq!(status, StatusCode::METHOD_NOT_ALLOWED);
}

#[tokio::test]
async fn a_file_comes_alone_or_in_a_form() {
    let client = Client::start().await;
    let url = format!("{}/03_05_load_balancer_cpu/upload", client.app.url());
    let send = async |content_type: &str, body: &'static str| -> Value {
        let request = client.http.request(Method::POST, &url).unwrap();
        let response = request.header("content-type", content_type).body(body).send().await.unwrap();
        serde_json::from_str(&response.text().await.unwrap()).unwrap()
    };
    let sha256 = "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824";
    let raw = send("text/plain", "hello").await;
    assert_eq!(
        (&raw["size"], &raw["sha256"], &raw["content_type"]),
        (&json!(5), &json!(sha256), &json!("text/plain"))
    );
    let form = "--x\r\ncontent-disposition: form-data; name=\"comment\"\r\n\r\nmine\r\n\
                --x\r\ncontent-disposition: form-data; name=\"file\"; filename=\"h.txt\"\r\ncontent-type: text/plain\r\n\r\nhello\r\n--x--\r\n";
    let formed = send("multipart/form-data; boundary=x", form).await;
    let expected = json!({"file_name": "h.txt", "content_type": "text/plain", "size": 5, "sha256": sha256, "comment": "mine"});
    assert_eq!(formed, expected);
    let refused = send("application/octet-stream", "").await;
    assert_eq!(refused["errors"][0], json!({"path": "body.file", "message": "missing field"}));
}

#[tokio::test]
async fn numbers_are_summed() {
    let client = Client::start().await;
    let (status, found) = client.post("gpu/compute", json!({"numbers": [1, 2, 3.5]})).await;
    assert_eq!((status, &found["sum_of_squares"]), (StatusCode::OK, &json!(17.25)));
    let (status, problem) = client.post("gpu/compute", json!({"numbers": []})).await;
    assert_eq!((status, &problem["code"]), (StatusCode::BAD_REQUEST, &json!("no_numbers")));
    let (status, problem) = client.post("gpu/compute", json!({"numbers": [1, "2"]})).await;
    assert_eq!(
        (status, &problem["errors"][0]["path"]),
        (StatusCode::UNPROCESSABLE_ENTITY, &json!("body.numbers[1]"))
    );
}

#[tokio::test]
async fn the_page_is_beside_the_functions_and_the_api_lists_them_all() {
    let client = Client::start().await;
    let request =
        client.http.request(Method::GET, &format!("{}/03_05_load_balancer_cpu/about", client.app.url()));
    let page = request.unwrap().send().await.unwrap();
    assert_eq!(page.headers()["content-type"], "text/html; charset=utf-8");
    let document = client.http.request(Method::GET, &format!("{}/openapi.json", client.app.url())).unwrap();
    let document: Value =
        serde_json::from_str(&document.send().await.unwrap().text().await.unwrap()).unwrap();
    let paths = document["paths"].as_object().unwrap();
    let operations: usize = paths.values().map(|item| item.as_object().unwrap().len()).sum();
    assert_eq!(operations, 13, "{:?}", paths.keys());
}

#[tokio::test]
async fn two_hundred_requests_at_once() {
    let client = std::sync::Arc::new(Client::start().await);
    let mut running = tokio::task::JoinSet::new();
    for n in 0..200 {
        let client = client.clone();
        running
            .spawn(async move { client.post("cpu/validate", json!({"text": format!("number {n}")})).await });
    }
    let answers = running.join_all().await;
    assert_eq!(answers.len(), 200);
    assert!(answers.iter().all(|(status, found)| *status == StatusCode::OK && found["word_count"] == 2));
}
