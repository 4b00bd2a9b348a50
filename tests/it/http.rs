//! The HTTP door.

use flash::{Endpoint, Error, remote};
use reqwest::{Method, StatusCode};
use serde_json::json;

use crate::client::Client;

#[tokio::test]
async fn path_query_and_body_become_arguments() {
    let client = Client::start().await;
    assert_eq!(client.get("/api/items/5").await, (StatusCode::OK, json!([5, [], false])));
    let (status, answer) = client.get("/api/items/5?tags=a&tags=b%20c&deep=true").await;
    assert_eq!((status, answer), (StatusCode::OK, json!([5, ["a", "b c"], true])));
    // A query may be a body too, as other clients send it.
    let (status, answer) = client.send(Method::GET, "/api/items/5", Some(r#"{"tags": ["x"]}"#)).await;
    assert_eq!((status, answer), (StatusCode::OK, json!([5, ["x"], false])));
    let body = r#"{"item": {"name": "n", "counts": [1, 2]}}"#;
    let (status, answer) = client.send(Method::PUT, "/api/items/7", Some(body)).await;
    assert_eq!((status, answer), (StatusCode::CREATED, json!([7, {"name": "n", "counts": [1, 2]}])));
    let (status, answer) = client.send(Method::DELETE, "/api/items/7", None).await;
    assert_eq!((status, answer), (StatusCode::NO_CONTENT, json!(null)));
}

#[tokio::test]
async fn every_bad_field_is_named_with_its_path() {
    let client = Client::start().await;
    let body = r#"{"item": {"name": 1, "counts": []}, "itme": 1}"#;
    let (status, problem) = client.send(Method::PUT, "/api/items/x", Some(body)).await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
    let errors: Vec<_> =
        problem["errors"].as_array().unwrap().iter().map(|e| e["path"].as_str().unwrap()).collect();
    assert_eq!(errors, ["path.id", "body.item.name", "body.itme"]);
    assert_eq!(problem["errors"][0]["message"], "expected u32, got string");
    assert_eq!(problem["errors"][1]["message"], "expected a string, got integer");
    let unknown = problem["errors"][2]["message"].as_str().unwrap();
    assert!(
        unknown.contains("known fields: `id`, `item`") && unknown.contains("did you mean `item`?"),
        "{unknown}"
    );
    assert_eq!(problem["code"], "invalid_input");

    let (status, problem) = client
        .send(Method::PUT, "/api/items/1", Some(r#"{"item": {"name": "n", "counts": [1, "x"]}}"#))
        .await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(problem["detail"], "body.item.counts[1]: expected u32, got string");

    let (status, problem) = client.post("/api/slow", "{}").await;
    assert_eq!(
        (status, &problem["detail"]),
        (StatusCode::UNPROCESSABLE_ENTITY, &json!("body.millis: missing field"))
    );
    let (_, problem) = client.post("/api/slow", r#"{"millis": 1, "millis": 2}"#).await;
    assert_eq!(problem["detail"], "body.millis: the field occurs twice");
}

#[tokio::test]
async fn bad_requests_get_their_own_status() {
    let client = Client::start().await;
    for (method, path, body, status, part) in [
        (Method::POST, "/api/slow", Some("{\"millis\":"), 400, "body is not JSON"),
        (Method::POST, "/api/slow", Some("[1]"), 422, "expected an object"),
        (Method::POST, "/api/slow", Some(r#"{"input": {"millis": 1}}"#), 400, r#"{"millis": …}"#),
        (Method::GET, "/api/slow", None, 405, "GET is not allowed"),
        (Method::GET, "/api/nothing", None, 404, "/api/nothing"),
        (Method::GET, "/nothing", None, 404, "/nothing"),
    ] {
        let (got, problem) = client.send(method, path, body).await;
        assert_eq!(got.as_u16(), status, "{path} {body:?} {problem}");
        let detail = problem["detail"].as_str().unwrap();
        assert!(detail.contains(part), "{detail}");
    }
}

#[tokio::test]
async fn deep_nesting_is_refused() {
    let client = Client::start().await;
    let deep = format!(r#"{{"item": {}1{}}}"#, "[".repeat(100_000), "]".repeat(100_000));
    let (status, _) = client.send(Method::PUT, "/api/items/1", Some(&deep)).await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
}

#[tokio::test]
async fn a_body_over_the_limit_is_413_with_its_size() {
    let client = Client::start().await;
    let body = format!(r#"{{"millis": "{}"}}"#, "x".repeat(30_000_000));
    let (status, problem) = client.post("/api/slow", &body).await;
    assert_eq!(status, StatusCode::PAYLOAD_TOO_LARGE);
    let detail = problem["detail"].as_str().unwrap();
    assert!(detail.contains("30000014 bytes") && detail.contains("30000000"), "{detail}");
}

#[tokio::test]
async fn typed_errors_keep_their_status_and_panics_keep_their_secrets() {
    let client = Client::start().await;
    let (status, problem) = client.send(Method::DELETE, "/api/items/0", None).await;
    assert_eq!((status, &problem["code"]), (StatusCode::UNPROCESSABLE_ENTITY, &json!("empty")));
    assert_eq!(problem["terminal"], true);
    let (status, problem) = client.post("/api/explode", "{}").await;
    assert_eq!((status, &problem["code"]), (StatusCode::INTERNAL_SERVER_ERROR, &json!("panic")));
    assert!(!problem.to_string().contains("secret"), "{problem}");
    assert!(problem["request_id"].as_str().is_some_and(|id| !id.is_empty()));
}

#[tokio::test]
async fn of_an_upstream_failure_only_the_code_travels_on() {
    let client = Client::start().await;
    let (status, problem) = client.post("/api/check", r#"{"text": ""}"#).await;
    assert_eq!(status, StatusCode::INTERNAL_SERVER_ERROR);
    assert_eq!(problem["data"]["code"], "empty");
    assert!(!problem.to_string().contains("the text is empty"), "{problem}");
}

#[tokio::test]
async fn functions_run_by_name_in_the_local_role_only_and_never_as_code() {
    let client = Client::start().await;
    let (status, answer) =
        client.post("/execute", r#"{"function": "check", "arguments": {"text": "abc"}}"#).await;
    assert_eq!((status, answer), (StatusCode::OK, json!(3)));
    let (status, problem) = client.post("/execute", r#"{"function": "chekc"}"#).await;
    assert_eq!(status, StatusCode::NOT_FOUND);
    assert!(problem["detail"].as_str().unwrap().contains("did you mean `check`?"), "{problem}");
    let (status, _) = client.post("/execute", r#"{"function_code": "print(1)"}"#).await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn the_api_is_described() {
    let client = Client::start().await;
    let (_, document) = client.get("/openapi.json").await;
    assert_eq!(document["openapi"], "3.1.0");
    let item = &document["paths"]["/api/items/{id}"];
    assert_eq!(item["get"]["parameters"][0]["in"], "path");
    assert_eq!(item["put"]["responses"]["201"]["description"], "The function's result.");
    let input =
        &document["paths"]["/echo/runsync"]["post"]["requestBody"]["content"]["application/json"]["schema"];
    assert_eq!(input["properties"]["input"]["required"], json!(["text"]));
}

#[tokio::test]
async fn the_address_itself_shows_what_can_be_called() {
    let app = flash::testing::LocalApp::start().await.unwrap();
    let request = flash::platform::HttpClient::new().request(Method::GET, &app.url()).unwrap();
    let table = request.send().await.unwrap().text().await.unwrap();
    assert!(table.contains(&format!("curl -X POST {}/mixed/runsync", app.url())), "{table}");
    // A line has what must be sent; where nothing must be, it has what can be.
    let post = "-H 'content-type: application/json' -d";
    for line in [
        format!("curl -X POST {}/echo/runsync {post} '{{\"input\": {{\"text\": \"text\"}}}}'", app.url()),
        format!("curl -X GET '{}/api/count_up?to=1'", app.url()),
        format!(
            "curl -X POST {}/lenient/runsync {post} '{{\"input\": {{\"size\": 1, \"order\": \"text\"}}}}'",
            app.url()
        ),
        format!("curl -X GET '{}/lenient-api/pages?size=1&order=text'", app.url()),
    ] {
        assert!(table.lines().any(|shown| shown.trim() == line), "{line}\n{table}");
    }
    app.stop().await.unwrap();
}

static LENIENT: Endpoint = Endpoint::queue("lenient");
static LENIENT_API: Endpoint = Endpoint::http("lenient-api");

/// Needs nothing.
#[remote(resource = LENIENT)]
async fn lenient(
    size: Option<u32>,
    #[remote(default)] order: String,
) -> Result<(Option<u32>, String), Error> {
    Ok((size, order))
}

/// The same behind a route.
#[remote(resource = LENIENT_API, method = "GET", path = "/pages")]
async fn lenient_route(
    size: Option<u32>,
    #[remote(default)] order: String,
) -> Result<(Option<u32>, String), Error> {
    Ok((size, order))
}
