//! The OpenAPI document of an app is valid, and the same bytes every time.

#![allow(clippy::unwrap_used, reason = "a test that panics has failed, and says where")]

use std::collections::BTreeSet;

use flash::{Endpoint, Error, Registry, RegistryBuilder, remote};
use flash_core::openapi::{Paths, document};
use serde_json::Value;

static ONE: Endpoint = Endpoint::queue("openapi-one");
static MANY: Endpoint = Endpoint::queue("openapi-many");
static API: Endpoint = Endpoint::http("openapi-api");

#[remote(resource = ONE)]
async fn openapi_only(text: String, #[remote(default = 1)] times: u32) -> Result<String, Error> {
    Ok(text.repeat(times as usize))
}

#[remote(resource = MANY)]
async fn openapi_first(values: Vec<Option<f64>>) -> Result<usize, Error> {
    Ok(values.len())
}

#[remote(resource = MANY)]
async fn openapi_second() -> Result<(), Error> {
    Ok(())
}

/// Finds an item.
#[remote(resource = API, method = "GET", path = "/items/{id}")]
async fn openapi_find(id: u64, language: Option<String>) -> Result<String, Error> {
    Ok(format!("{id} {language:?}"))
}

#[remote(resource = API, method = "PUT", path = "/items/{id}", status = 201)]
async fn openapi_put(id: u64, name: String, tags: Vec<String>) -> Result<String, Error> {
    Ok(format!("{id} {name} {tags:?}"))
}

fn forwards() -> RegistryBuilder {
    Registry::builder()
        .register::<openapi_only>()
        .register::<openapi_first>()
        .register::<openapi_second>()
        .register::<openapi_find>()
        .register::<openapi_put>()
}

fn backwards() -> RegistryBuilder {
    Registry::builder()
        .register::<openapi_put>()
        .register::<openapi_find>()
        .register::<openapi_second>()
        .register::<openapi_first>()
        .register::<openapi_only>()
}

fn of(functions: RegistryBuilder, paths: Paths) -> Value {
    document(&functions.build().unwrap(), "an app", paths)
}

/// What OpenAPI 3.1 requires of a document, as far as this one uses it. Gives the operation ids.
fn check(document: &Value) -> BTreeSet<String> {
    assert!(document["openapi"].as_str().unwrap().starts_with("3.1."));
    assert!(document["info"]["title"].is_string() && document["info"]["version"].is_string());
    let mut ids = BTreeSet::new();
    for (path, operations) in document["paths"].as_object().unwrap() {
        assert!(path.starts_with('/'), "{path}");
        for (method, operation) in operations.as_object().unwrap() {
            let place = format!("{method} {path}");
            assert!(["get", "put", "post", "delete", "patch"].contains(&method.as_str()), "{place}");
            assert!(
                ids.insert(operation["operationId"].as_str().unwrap().to_owned()),
                "{place}: id occurs twice"
            );
            check_operation(path, operation, &place);
        }
    }
    ids
}

fn check_operation(path: &str, operation: &Value, place: &str) {
    let none = Vec::new();
    let parameters = operation["parameters"].as_array().unwrap_or(&none);
    for parameter in parameters {
        assert!(parameter["name"].is_string() && parameter["schema"].is_object(), "{place}: {parameter}");
        match parameter["in"].as_str() {
            Some("path") => assert_eq!(parameter["required"], true, "{place}: {parameter}"),
            place => assert_eq!(place, Some("query"), "{parameter}"),
        }
    }
    for name in path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}')) {
        let described = |parameter: &&Value| parameter["name"] == name && parameter["in"] == "path";
        assert_eq!(parameters.iter().filter(described).count(), 1, "{place}: `{name}` is not described");
    }
    let responses = operation["responses"].as_object().unwrap();
    assert!(!responses.is_empty(), "{place}");
    for (status, response) in responses {
        assert!(
            status == "default" || status.parse::<u16>().is_ok_and(|code| code < 600),
            "{place}: {status}"
        );
        assert!(response["description"].is_string(), "{place}: {status}");
        check_content(&response["content"], place);
    }
    check_content(&operation["requestBody"]["content"], place);
}

fn check_content(content: &Value, place: &str) {
    for (media_type, content) in content.as_object().into_iter().flatten() {
        assert!(media_type.contains('/'), "{place}: {media_type}");
        assert!(content["schema"].is_object(), "{place}: {media_type}");
    }
}

#[test]
fn the_document_has_what_openapi_requires() {
    for paths in [Paths::PerEndpoint, Paths::Root] {
        let only_api = Registry::builder().register::<openapi_find>().register::<openapi_put>();
        check(&of(only_api, paths));
    }
    let ids = check(&of(forwards(), Paths::PerEndpoint));
    for id in ["openapi_find", "openapi_put", "openapi-one_run", "openapi-one_runsync", "openapi-many_run"] {
        assert!(ids.contains(id), "{id} in {ids:?}");
    }
}

#[test]
fn the_order_of_registration_changes_no_byte() {
    for paths in [Paths::PerEndpoint, Paths::Root] {
        let text = |functions| serde_json::to_string_pretty(&of(functions, paths)).unwrap();
        assert_eq!(text(forwards()), text(backwards()));
    }
}

#[test]
fn parameters_stand_where_a_request_has_them() {
    let document = of(forwards(), Paths::Root);
    let find = &document["paths"]["/items/{id}"]["get"];
    assert_eq!(find["summary"], "Finds an item.");
    assert_eq!(
        find["parameters"],
        serde_json::json!([
            { "name": "id", "in": "path", "required": true, "schema": { "type": "integer", "minimum": 0 } },
            { "name": "language", "in": "query", "required": false,
              "schema": { "anyOf": [{ "type": "string" }, { "type": "null" }] } },
        ])
    );
    let put = &document["paths"]["/items/{id}"]["put"];
    let body = &put["requestBody"]["content"]["application/json"]["schema"];
    assert_eq!(body["required"], serde_json::json!(["name", "tags"]));
    assert_eq!(
        body["properties"]["tags"],
        serde_json::json!({ "type": "array", "items": { "type": "string" } })
    );
    assert!(put["responses"]["201"].is_object());
    // One function needs no `method`; of several, each names its own.
    let input = |document: &Value, path: &str| {
        document["paths"][path]["post"]["requestBody"]["content"]["application/json"]["schema"]["properties"]
            ["input"]
            .clone()
    };
    let document = of(forwards(), Paths::PerEndpoint);
    assert_eq!(input(&document, "/openapi-one/run")["required"], serde_json::json!(["text"]));
    let many = input(&document, "/openapi-many/runsync");
    let methods: Vec<_> = many["oneOf"]
        .as_array()
        .unwrap()
        .iter()
        .map(|input| &input["properties"]["method"]["const"])
        .collect();
    assert_eq!(methods, ["openapi_first", "openapi_second"]);
}
