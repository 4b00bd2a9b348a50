use serde_json::{Value, json};

use super::Operation;
use super::components::job_ref;
use super::schema::Schemas;
use crate::meta::{Meta, Param, ReplyKind};

/// The client's operations of a queue (platform contract A).
pub(super) fn operations(
    endpoint: &str,
    functions: &[&'static Meta],
    schemas: &mut Schemas,
) -> Vec<Operation> {
    let inputs: Vec<_> = functions
        .iter()
        .map(|meta| {
            let method = (functions.len() > 1).then_some(meta.key());
            let mut input = schemas.object(&meta.params_with_schemas(), method);
            if !meta.doc.is_empty() {
                input["description"] = meta.doc.into();
            }
            input
        })
        .collect();
    let input = one_of(inputs);
    let outputs = functions.iter().map(|meta| output(meta, schemas)).collect();
    let finished = json!({ "allOf": [job_ref(), { "properties": { "output": any_of(outputs) } }] });
    let required =
        functions.len() > 1 || functions.iter().any(|meta| meta.params.iter().any(Param::is_required));
    let submit = |operation: &str, description: &str, job: &Value| Operation {
        path: format!("/{operation}"),
        method: "post",
        value: json!({
            "operationId": format!("{endpoint}_{operation}"),
            "requestBody": {
                "required": true,
                "content": { "application/json": { "schema": {
                    "type": "object",
                    "required": if required { json!(["input"]) } else { json!([]) },
                    "properties": { "input": input },
                } } },
            },
            "responses": response(description, job),
        }),
    };
    let of_job = |operation: &str, method: &'static str, description: &str, answer: &Value| Operation {
        path: format!("/{operation}/{{id}}"),
        method,
        value: json!({
            "operationId": format!("{endpoint}_{operation}"),
            "parameters": [{ "name": "id", "in": "path", "required": true, "schema": { "type": "string" } }],
            "responses": response(description, answer),
        }),
    };
    let mut operations = vec![
        submit("run", "The job, which waits for a worker.", &job_ref()),
        submit("runsync", "The job, finished where that took no longer than the platform waits.", &finished),
        of_job("status", "get", "The job as it is now.", &finished),
        of_job("cancel", "post", "The job, which does not run any further.", &job_ref()),
    ];
    let streams: Vec<_> = functions.iter().filter(|meta| meta.is_stream()).collect();
    if !streams.is_empty() {
        let items = streams.iter().map(|meta| schemas.reply(meta)).collect();
        let answer = json!({ "allOf": [job_ref(), { "properties": { "stream": {
            "type": "array",
            "items": { "type": "object", "properties": { "output": any_of(items) } },
        } } }] });
        operations.push(of_job("stream", "get", "The items that are new since the last look.", &answer));
    }
    operations
}

fn output(meta: &Meta, schemas: &mut Schemas) -> Value {
    match meta.reply() {
        ReplyKind::Stream => json!({ "type": "array", "items": schemas.reply(meta) }),
        ReplyKind::Unit => json!({ "type": "null" }),
        ReplyKind::Bytes => json!({ "type": "string", "contentEncoding": "base64" }),
        ReplyKind::Value => schemas.reply(meta),
    }
}

fn response(description: &str, schema: &Value) -> Value {
    json!({ "200": { "description": description, "content": { "application/json": { "schema": schema } } } })
}

fn one_of(mut schemas: Vec<Value>) -> Value {
    if schemas.len() == 1 { schemas.remove(0) } else { json!({ "oneOf": schemas }) }
}

fn any_of(mut schemas: Vec<Value>) -> Value {
    schemas.dedup();
    if schemas.len() == 1 { schemas.remove(0) } else { json!({ "anyOf": schemas }) }
}
