use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::Operation;
use super::components::problem_ref;
use super::schema::{SchemaOf, Schemas};
use crate::error::{ErrorCase, code};
use crate::meta::{HttpRoute, Meta, Method, Param, ReplyKind};

pub(super) fn operations(functions: &[&'static Meta], schemas: &mut Schemas) -> Vec<Operation> {
    let routes = functions.iter().filter_map(|meta| Some((meta, meta.http?)));
    routes
        .map(|(meta, route)| Operation {
            path: route.path.to_owned(),
            method: match route.method {
                Method::GET => "get",
                Method::POST => "post",
                Method::PUT => "put",
                Method::PATCH => "patch",
                Method::DELETE => "delete",
            },
            value: operation(meta, route, schemas),
        })
        .collect()
}

fn operation(meta: &Meta, route: HttpRoute, schemas: &mut Schemas) -> Value {
    let in_path: Vec<_> = route.placeholders().collect();
    let mut parameters = Vec::new();
    let mut body = Vec::new();
    for (param, schema) in meta.params_with_schemas() {
        let place = if in_path.contains(&param.name) {
            "path"
        } else if matches!(route.method, Method::GET | Method::DELETE) {
            // A body of these has no defined meaning (RFC 9110, 9.3), and many clients cannot send one.
            "query"
        } else {
            body.push((param, schema));
            continue;
        };
        parameters.push(json!({
            "name": param.name,
            "in": place,
            "required": place == "path" || param.is_required(),
            "schema": schemas.param(&param, schema),
        }));
    }
    let mut operation = json!({ "operationId": meta.name, "responses": responses(meta, route, schemas) });
    if !meta.doc.is_empty() {
        operation["summary"] = meta.doc.into();
    }
    if !parameters.is_empty() {
        operation["parameters"] = parameters.into();
    }
    if !body.is_empty() {
        operation["requestBody"] = json!({
            "required": body.iter().any(|(param, _)| param.is_required()),
            "content": request(&body, schemas),
        });
    }
    operation
}

/// The forms that a body may have: JSON, and, for bytes, those of which they are a part.
fn request(params: &[(Param, Option<SchemaOf>)], schemas: &mut Schemas) -> Value {
    let mut content = Map::new();
    content.insert("application/json".to_owned(), json!({ "schema": schemas.object(params, None) }));
    if params.iter().any(|(param, _)| param.is_bytes()) {
        if let [_] = params {
            // An empty schema: bytes are no JSON (OpenAPI 3.1, "Considerations for File Uploads").
            content.insert("application/octet-stream".to_owned(), json!({ "schema": {} }));
        }
        let mut form = schemas.object(params, None);
        for (param, _) in params.iter().filter(|(param, _)| param.is_bytes()) {
            // The `format` is how OpenAPI 3.0 said it, and what generators of clients still look for.
            form["properties"][param.name] = json!({ "type": "string", "format": "binary", "contentMediaType": "application/octet-stream" });
        }
        content.insert("multipart/form-data".to_owned(), json!({ "schema": form }));
    }
    content.into()
}

fn responses(meta: &Meta, route: HttpRoute, schemas: &mut Schemas) -> Value {
    let mut responses = Map::new();
    let (status, success) = match meta.reply() {
        ReplyKind::Unit => (204, json!({ "description": "The function succeeded." })),
        ReplyKind::Value => (
            route.status,
            json!({ "description": "The function's result.",
                "content": { "application/json": { "schema": schemas.reply(meta) } } }),
        ),
        ReplyKind::Bytes => (
            route.status,
            json!({ "description": "The function's result: bytes, or base64 for a client that asks for JSON.",
                "content": {
                    "application/octet-stream": { "schema": {} },
                    "application/json": { "schema": { "type": "string", "contentEncoding": "base64" } },
                } }),
        ),
        ReplyKind::Stream => {
            let item = schemas.reply(meta);
            let description = "The function's items: as server-sent events, of which each holds one, or as an array for \
                               a client that asks for JSON.";
            let content = json!({
                "text/event-stream": { "schema": item },
                "application/json": { "schema": { "type": "array", "items": item } },
            });
            (route.status, json!({ "description": description, "content": content }))
        }
    };
    responses.insert(status.to_string(), success);
    for (status, cases) in by_status(meta) {
        responses.insert(status.to_string(), failure(status, &cases, schemas));
    }
    responses.insert(
        "default".to_owned(),
        json!({
            "description": "Any other failure.",
            "content": { "application/problem+json": { "schema": problem_ref() } },
        }),
    );
    responses.into()
}

/// What the worker itself answers with, whatever the function: its own errors may have the same status.
const OF_THE_WORKER: &[(u16, &str)] = &[
    (400, code::INVALID_JSON),
    (400, code::INVALID_REQUEST),
    (408, code::REQUEST_TIMEOUT),
    (413, code::PAYLOAD_TOO_LARGE),
    (415, code::UNSUPPORTED_MEDIA_TYPE),
    (422, code::INVALID_INPUT),
    (500, code::INTERNAL),
    (500, code::PANIC),
    (500, code::RESULT_TOO_LARGE),
    (500, code::STATE_FAILED),
    (503, code::DRAINING),
    (503, code::OVERLOADED),
    (504, code::TIMEOUT),
];

/// The function's own errors, and the arguments that do not fit it.
fn by_status(meta: &Meta) -> BTreeMap<u16, Vec<ErrorCase>> {
    let mut by_status: BTreeMap<u16, Vec<ErrorCase>> = BTreeMap::new();
    if !meta.params.is_empty() {
        let invalid = ErrorCase::new(code::INVALID_INPUT).status(422).terminal();
        by_status.entry(422).or_default().push(invalid);
    }
    for case in meta.errors() {
        by_status.entry(case.http_status()).or_default().push(*case);
    }
    by_status
}

fn failure(status: u16, cases: &[ErrorCase], schemas: &mut Schemas) -> Value {
    let own = |code: &str| cases.iter().any(|case| case.code == code);
    let of_the_worker: Vec<&str> = OF_THE_WORKER
        .iter()
        .filter(|(at, code)| *at == status && !own(code))
        .map(|(_, code)| *code)
        .collect();
    let codes: Vec<_> = cases.iter().map(|case| case.code).chain(of_the_worker.iter().copied()).collect();
    let text = codes.iter().map(|code| format!("`{code}`")).collect::<Vec<_>>().join(", ");
    let mut of_cases: Vec<_> = cases.iter().map(|case| of_case(case, schemas)).collect();
    of_cases.extend(of_the_worker.iter().map(|code| json!({ "properties": { "code": one_code(code) } })));
    let own = match of_cases.as_slice() {
        [only] => only.clone(),
        many => json!({ "anyOf": many }),
    };
    json!({
        "description": text,
        "content": { "application/problem+json": { "schema": { "allOf": [problem_ref(), own] } } },
    })
}

/// An enum of one, with its type: generators merge it with the text that it is in every problem, and a `const` they do not.
fn one_code(code: &str) -> Value {
    json!({ "type": "string", "enum": [code] })
}

fn of_case(case: &ErrorCase, schemas: &mut Schemas) -> Value {
    let mut properties = Map::new();
    properties.insert("code".to_owned(), one_code(case.code));
    properties.insert("retryable".to_owned(), json!({ "type": "boolean", "const": case.retryable }));
    properties.insert("terminal".to_owned(), json!({ "type": "boolean", "const": case.terminal }));
    if let Some(data) = case.data_schema(schemas) {
        properties.insert("data".to_owned(), data);
    }
    json!({ "properties": properties })
}
