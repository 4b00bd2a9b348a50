//! The OpenAPI document of an app is valid, and the same bytes every time.

#![allow(clippy::unwrap_used, reason = "a test that panics has failed, and says where")]

use std::collections::BTreeSet;

use flash::{
    Bytes, CallError, Endpoint, Error, Registry, RegistryBuilder, RemoteError, Response, Stream, remote,
};
use flash_core::openapi::{Paths, document};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

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

/// A user of the app.
#[derive(Serialize, Deserialize, JsonSchema)]
pub(crate) struct Person {
    /// Without spaces.
    name: String,
    #[serde(default)]
    friends: Vec<Person>,
}

#[derive(Serialize, Deserialize)]
pub(crate) struct Undescribed {
    name: String,
}

#[derive(Debug, thiserror::Error, RemoteError)]
pub(crate) enum PersonError {
    #[error("no such person")]
    #[remote(status = 404, terminal)]
    Unknown,
    #[error("{limit} is too much for {who}")]
    #[remote(status = 422)]
    TooMany { limit: u8, who: String },
    #[error("busy")]
    #[remote(status = 422, retryable, code = "busy_now")]
    Busy(u8, String),
    #[error("upstream")]
    #[remote(call)]
    Upstream(CallError<Error>),
}

type Found = Result<Person, PersonError>;

#[remote(resource = API, method = "PUT", path = "/people/{id}")]
async fn openapi_person(id: u64, #[remote(body)] person: Person) -> Found {
    match id {
        0 => Err(PersonError::Unknown),
        1 => Err(PersonError::TooMany { limit: 1, who: person.name }),
        2 => Err(PersonError::Busy(2, person.name)),
        _ => Ok(person),
    }
}

#[remote(resource = API, method = "POST", path = "/photos")]
async fn openapi_photo(
    photo: Bytes,
    by: Option<Person>,
    other: Undescribed,
) -> Result<Response<Bytes>, Error> {
    drop((by, other));
    Ok(Response::new(photo))
}

#[remote(resource = API, method = "POST", path = "/photos/raw")]
async fn openapi_raw(photo: Bytes) -> Result<(), Error> {
    drop(photo);
    Ok(())
}

#[remote(resource = API, method = "GET", path = "/people")]
async fn openapi_people() -> Result<Stream<Person, Error>, Error> {
    Ok(Stream::iter([]))
}

pub(crate) struct Crowd;

#[remote(resource = MANY)]
impl Crowd {
    #[remote(init)]
    async fn new(leader: Person, #[remote(default = 1)] size: u32) -> Result<Self, Error> {
        drop((leader, size));
        Ok(Self)
    }

    #[remote]
    async fn openapi_talk(&self, to: Person) -> Result<Stream<String, Error>, Error> {
        Ok(Stream::iter([Ok(to.name)]))
    }
}

fn forwards() -> RegistryBuilder {
    Registry::builder()
        .register::<openapi_only>()
        .register::<openapi_first>()
        .register::<openapi_second>()
        .register::<openapi_find>()
        .register::<openapi_put>()
        .register::<openapi_person>()
        .register::<openapi_photo>()
        .register::<openapi_raw>()
        .register::<openapi_people>()
}

fn backwards() -> RegistryBuilder {
    Registry::builder()
        .register::<openapi_people>()
        .register::<openapi_raw>()
        .register::<openapi_photo>()
        .register::<openapi_person>()
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
    check_references(document, document);
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

/// Every reference leads somewhere.
fn check_references(value: &Value, document: &Value) {
    match value {
        Value::Object(map) => {
            if let Some(reference) = map.get("$ref") {
                let target = reference.as_str().unwrap().strip_prefix('#').unwrap();
                assert!(document.pointer(target).is_some(), "{reference} leads nowhere");
            }
            map.values().for_each(|value| check_references(value, document));
        }
        Value::Array(values) => values.iter().for_each(|value| check_references(value, document)),
        _ => {}
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
            { "name": "id", "in": "path", "required": true, "schema": { "type": "integer", "format": "uint64", "minimum": 0 } },
            { "name": "language", "in": "query", "required": false,
              "schema": { "type": ["string", "null"] } },
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

/// Everything linked into this test: all shapes that a function has here.
#[test]
fn the_document_of_many_functions_is_valid_too() {
    let registry = Registry::linked().unwrap();
    for paths in [Paths::PerEndpoint, Paths::Root] {
        // On servers of their own, several queues have the same paths: the document describes one.
        let document = document(&registry, "all", paths);
        check(&document);
    }
}

fn reference(name: &str) -> Value {
    json!({ "$ref": format!("#/components/schemas/{name}") })
}

#[test]
fn types_with_a_schema_are_described_in_full_and_once() {
    let document = of(forwards(), Paths::Root);
    let person = &document["components"]["schemas"]["Person"];
    assert_eq!(person["description"], "A user of the app.");
    assert_eq!(person["required"], json!(["name"]));
    assert_eq!(person["properties"]["name"]["description"], "Without spaces.");
    assert_eq!(person["properties"]["friends"]["items"], reference("Person"));
    let put = &document["paths"]["/people/{id}"]["put"];
    assert_eq!(put["requestBody"]["content"]["application/json"]["schema"], reference("Person"));
    assert_eq!(put["responses"]["200"]["content"]["application/json"]["schema"], reference("Person"));
    let photo = &document["paths"]["/photos"]["post"]["requestBody"]["content"];
    let fields = &photo["application/json"]["schema"]["properties"];
    assert_eq!(fields["by"]["anyOf"], json!([reference("Person"), { "type": "null" }]));
    assert_eq!(fields["other"], json!({}), "a type without a schema is any value");
}

#[test]
fn errors_stand_at_their_statuses_with_code_and_data() {
    let document = of(forwards(), Paths::Root);
    let responses = &document["paths"]["/people/{id}"]["put"]["responses"];
    let statuses: Vec<_> = responses.as_object().unwrap().keys().collect();
    assert_eq!(statuses, ["200", "404", "422", "500", "default"]);
    let own = |status: &str| {
        let schema = &responses[status]["content"]["application/problem+json"]["schema"]["allOf"];
        assert_eq!(schema[0], reference("FlashProblem"));
        schema[1].clone()
    };
    assert_eq!(own("404")["properties"]["code"], json!({ "type": "string", "enum": ["unknown"] }));
    assert_eq!(own("404")["properties"]["terminal"], json!({ "type": "boolean", "const": true }));
    let cases = own("422");
    let codes: Vec<_> = cases["anyOf"]
        .as_array()
        .unwrap()
        .iter()
        .map(|case| &case["properties"]["code"]["enum"][0])
        .collect();
    assert_eq!(codes, ["invalid_input", "too_many", "busy_now"]);
    assert_eq!(cases["anyOf"][1]["properties"]["data"]["properties"]["who"]["type"], "string");
    assert_eq!(cases["anyOf"][2]["properties"]["data"]["prefixItems"][1]["type"], "string");
    assert_eq!(cases["anyOf"][2]["properties"]["retryable"], json!({ "type": "boolean", "const": true }));
}

#[test]
fn bytes_streams_and_nothing_have_their_forms() {
    let document = of(forwards(), Paths::Root);
    let raw = &document["paths"]["/photos/raw"]["post"];
    assert!(raw["requestBody"]["content"]["application/octet-stream"].is_object());
    let form = &raw["requestBody"]["content"]["multipart/form-data"]["schema"];
    assert_eq!(form["properties"]["photo"]["contentMediaType"], "application/octet-stream");
    assert!(raw["responses"]["204"].is_object() && raw["responses"].get("200").is_none());
    let photo = &document["paths"]["/photos"]["post"];
    assert!(photo["requestBody"]["content"].get("application/octet-stream").is_none());
    assert!(photo["responses"]["200"]["content"]["application/octet-stream"].is_object());
    let people = &document["paths"]["/people"]["get"]["responses"]["200"]["content"];
    assert_eq!(people["text/event-stream"]["schema"], reference("Person"));
    assert_eq!(people["application/json"]["schema"]["items"], reference("Person"));
}

#[test]
fn a_class_has_its_constructor_in_init_and_a_stream_of_its_items() {
    let registry = Registry::linked().unwrap();
    let document = document(&registry, "all", Paths::PerEndpoint);
    let inputs = &document["paths"]["/openapi-many/run"]["post"]["requestBody"]["content"]["application/json"]
        ["schema"]["properties"]["input"]["oneOf"];
    let talk =
        inputs.as_array().unwrap().iter().find(|input| input["properties"]["init"].is_object()).unwrap();
    assert_eq!(talk["properties"]["init"]["properties"]["leader"], reference("Person"));
    assert_eq!(talk["properties"]["init"]["required"], json!(["leader"]));
    assert_eq!(talk["properties"]["to"], reference("Person"));
    let stream = &document["paths"]["/openapi-many/stream/{id}"]["get"]["responses"]["200"]["content"];
    let stream = &stream["application/json"]["schema"]["allOf"][1]["properties"]["stream"];
    assert_eq!(stream["items"]["properties"]["output"]["type"], "string");
}

#[test]
fn an_endpoint_that_asks_for_a_key_says_so_where_it_is_deployed() {
    let deployed = of(forwards(), Paths::Root);
    assert_eq!(deployed["paths"]["/people"]["get"]["security"], json!([{ "key": [] }]));
    assert_eq!(deployed["components"]["securitySchemes"]["key"]["scheme"], "bearer");
    let local = of(forwards(), Paths::PerEndpoint);
    assert!(local["paths"]["/openapi-api/people"]["get"].get("security").is_none());
}
