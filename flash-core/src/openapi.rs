//! The OpenAPI document of an app, made from its registry. No server has to run.

use serde_json::{Map, Value, json};

use crate::endpoint::Kind;
use crate::meta::{Meta, Method, Param};
use crate::registry::{Registration, Registry};

/// Where the endpoints stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Paths {
    /// All on one server, each below its name: the local role.
    PerEndpoint,
    /// Each on a server of its own: deployed.
    Root,
}

/// The document, OpenAPI 3.1. The same for the same functions, byte for byte.
#[must_use]
pub fn document(registry: &Registry, title: &str, paths: Paths) -> Value {
    let mut entries: Map<String, Value> = Map::new();
    for endpoint in registry.resources() {
        let prefix = match paths {
            Paths::PerEndpoint => format!("/{}", endpoint.name()),
            Paths::Root => String::new(),
        };
        let functions: Vec<_> = registry.functions_of(endpoint.name()).map(Registration::meta).collect();
        match endpoint.kind() {
            Kind::Http => {
                for meta in functions {
                    let Some(route) = meta.http else { continue };
                    let path = entries.entry(format!("{prefix}{}", route.path)).or_insert_with(|| json!({}));
                    path[route.method.as_str().to_ascii_lowercase()] = http_operation(meta);
                }
            }
            Kind::Queue => {
                let inputs: Vec<_> =
                    functions.iter().map(|meta| input_schema(meta, functions.len() > 1)).collect();
                let input = match inputs.as_slice() {
                    [only] => only.clone(),
                    many => json!({ "oneOf": many }),
                };
                for operation in ["run", "runsync"] {
                    entries.insert(
                        format!("{prefix}/{operation}"),
                        json!({ "post": queue_operation(endpoint.name(), operation, &input) }),
                    );
                }
            }
        }
    }
    json!({
        "openapi": "3.1.0",
        "info": { "title": title, "version": env!("CARGO_PKG_VERSION") },
        "paths": entries,
    })
}

fn http_operation(meta: &Meta) -> Value {
    let Some(route) = meta.http else { return json!({}) };
    let in_path: Vec<_> = route.placeholders().collect();
    let mut parameters = Vec::new();
    let mut body = Vec::new();
    for param in meta.params {
        let place = if in_path.contains(&param.name) {
            "path"
        } else if route.method == Method::GET {
            "query"
        } else {
            body.push(*param);
            continue;
        };
        parameters.push(json!({
            "name": param.name,
            "in": place,
            "required": place == "path" || param.is_required(),
            "schema": schema(param.type_text),
        }));
    }
    let mut operation = json!({
        "operationId": meta.name,
        "responses": {
            route.status.to_string(): { "description": "The function's result.",
                "content": { "application/json": { "schema": {} } } },
            "default": { "description": "A problem document (RFC 9457).",
                "content": { "application/problem+json": { "schema": { "type": "object" } } } },
        },
    });
    if !meta.doc.is_empty() {
        operation["summary"] = meta.doc.into();
    }
    if !parameters.is_empty() {
        operation["parameters"] = parameters.into();
    }
    if !body.is_empty() {
        operation["requestBody"] = json!({
            "required": body.iter().any(Param::is_required),
            "content": { "application/json": { "schema": object(&body, None) } },
        });
    }
    operation
}

fn queue_operation(endpoint: &str, operation: &str, input: &Value) -> Value {
    json!({
        "operationId": format!("{endpoint}_{operation}"),
        "requestBody": {
            "required": true,
            "content": { "application/json": { "schema": {
                "type": "object", "required": ["input"], "properties": { "input": input },
            } } },
        },
        "responses": { "200": { "description": "The job.",
            "content": { "application/json": { "schema": { "type": "object" } } } } },
    })
}

fn input_schema(meta: &Meta, with_method: bool) -> Value {
    object(meta.params, with_method.then_some(meta.key()))
}

fn object(params: &[Param], method: Option<&str>) -> Value {
    let mut properties = Map::new();
    let mut required: Vec<&str> = Vec::new();
    if let Some(name) = method {
        properties.insert("method".to_owned(), json!({ "const": name }));
        required.push("method");
    }
    for param in params {
        properties.insert(param.name.to_owned(), schema(param.type_text));
        if param.is_required() {
            required.push(param.name);
        }
    }
    json!({ "type": "object", "properties": properties, "required": required, "additionalProperties": false })
}

/// The schema of a type, as far as its text tells; any value for what it does not.
fn schema(type_text: &str) -> Value {
    let text = type_text.replace(' ', "");
    if let Some(inner) = generic(&text, "Option") {
        return json!({ "anyOf": [schema(inner), { "type": "null" }] });
    }
    if let Some(inner) = generic(&text, "Vec") {
        return json!({ "type": "array", "items": schema(inner) });
    }
    match text.rsplit("::").next().unwrap_or_default() {
        "String" => json!({ "type": "string" }),
        "bool" => json!({ "type": "boolean" }),
        "f32" | "f64" => json!({ "type": "number" }),
        "u8" | "u16" | "u32" | "u64" | "usize" => json!({ "type": "integer", "minimum": 0 }),
        "i8" | "i16" | "i32" | "i64" | "isize" => json!({ "type": "integer" }),
        _ => json!({}),
    }
}

/// A JSON value that a parameter of this type may have, for a line to try.
#[must_use]
pub fn example(type_text: &str) -> &'static str {
    let text = type_text.replace(' ', "");
    match text.rsplit("::").next().unwrap_or_default() {
        _ if text.starts_with("Vec<") => "[]",
        "String" => "\"text\"",
        "bool" => "true",
        "f32" | "f64" => "0.5",
        "u8" | "u16" | "u32" | "u64" | "usize" | "i8" | "i16" | "i32" | "i64" | "isize" => "1",
        _ => "{}",
    }
}

fn generic<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    text.strip_prefix(name)?.strip_prefix('<')?.strip_suffix('>')
}
