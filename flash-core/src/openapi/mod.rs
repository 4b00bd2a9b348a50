//! The OpenAPI document of an app, made from its registry. No server has to run.
//!
//! With the feature `openapi` a type that derives `schemars::JsonSchema` is described in full; without it, and for types that
//! do not, the document says what the written type tells.

mod choices;
mod components;
mod example;
mod http;
mod queue;
mod schema;

use serde_json::{Map, Value, json};

pub use example::example;
#[cfg(feature = "openapi")]
pub use schema::{NoSchema, ReplyFor, SchemaFor};
pub use schema::{SchemaOf, Schemas};

use crate::endpoint::{Auth, Kind};
use crate::registry::{Registration, Registry};

/// Where the endpoints stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Paths {
    /// All on one server, each below its name: the local role.
    PerEndpoint,
    /// Each on a server of its own: deployed. Endpoints that ask for a key say so.
    Root,
}

/// The document, OpenAPI 3.1. The same for the same functions, byte for byte.
#[must_use]
pub fn document(registry: &Registry, title: &str, paths: Paths) -> Value {
    let mut schemas = Schemas::new();
    let mut entries: Map<String, Value> = Map::new();
    for endpoint in registry.resources() {
        let prefix = match paths {
            Paths::PerEndpoint => format!("/{}", endpoint.name()),
            Paths::Root => String::new(),
        };
        let functions: Vec<_> = registry.functions_of(endpoint.name()).map(Registration::meta).collect();
        let mut operations = match endpoint.kind() {
            Kind::Http => http::operations(&functions, &mut schemas),
            Kind::Queue => queue::operations(endpoint.name(), &functions, &mut schemas),
        };
        if paths == Paths::Root && endpoint.auth == Auth::Required {
            for operation in &mut operations {
                operation.value["security"] = json!([{ "key": [] }]);
            }
        }
        for operation in operations {
            let path = entries.entry(format!("{prefix}{}", operation.path)).or_insert_with(|| json!({}));
            path[operation.method] = operation.value;
        }
    }
    let mut document = json!({
        "openapi": "3.1.0",
        "info": { "title": title, "version": env!("CARGO_PKG_VERSION") },
        "paths": entries,
        "components": { "schemas": components::all(schemas.into_definitions()) },
    });
    choices::as_enums(&mut document);
    if paths == Paths::Root {
        document["components"]["securitySchemes"] = json!({
            "key": { "type": "http", "scheme": "bearer", "description": "A key of the platform." },
        });
    }
    document
}

/// One verb of one path.
struct Operation {
    path: String,
    method: &'static str,
    value: Value,
}
