use serde_json::{Map, Value, json};

/// The schemas that the document refers to: those of the user's types, and two of our own.
pub(super) fn all(mut definitions: Map<String, Value>) -> Map<String, Value> {
    definitions.insert("FlashProblem".to_owned(), problem());
    definitions.insert("FlashJob".to_owned(), job());
    definitions
}

pub(super) fn problem_ref() -> Value {
    json!({ "$ref": "#/components/schemas/FlashProblem" })
}

pub(super) fn job_ref() -> Value {
    json!({ "$ref": "#/components/schemas/FlashJob" })
}

/// The body of a failure; see [`Problem`](crate::Problem).
fn problem() -> Value {
    json!({
        "type": "object",
        "description": "A problem document (RFC 9457) with a stable code.",
        "required": ["type", "title", "status", "detail", "code"],
        "properties": {
            "type": { "type": "string" },
            "title": { "type": "string", "description": "The status in words." },
            "status": { "type": "integer", "minimum": 400, "maximum": 599 },
            "detail": { "type": "string", "description": "The message for people." },
            "code": { "type": "string", "description": "What programs read." },
            "data": { "description": "What belongs to the code." },
            "errors": {
                "type": "array",
                "description": "Every field that was wrong.",
                "items": {
                    "type": "object",
                    "required": ["path", "message"],
                    "properties": { "path": { "type": "string" }, "message": { "type": "string" } },
                },
            },
            "retryable": { "type": "boolean", "description": "Whether the same call may succeed later." },
            "terminal": { "type": "boolean", "description": "Whether the same call can never succeed." },
            "request_id": { "type": "string", "description": "Names the request in the log." },
        },
    })
}

/// A job as the platform shows it (platform contract A).
fn job() -> Value {
    json!({
        "type": "object",
        "required": ["id", "status"],
        "properties": {
            "id": { "type": "string" },
            "status": {
                "enum": ["IN_QUEUE", "IN_PROGRESS", "COMPLETED", "FAILED", "CANCELLED", "TIMED_OUT"],
            },
            "output": { "description": "The function's result, once the job is COMPLETED." },
            "error": {
                "type": "string",
                "description": "Why the job FAILED, as JSON text with `error_type`, `error_message` and `flash`.",
            },
            "delayTime": { "type": "integer", "description": "Milliseconds in the queue." },
            "executionTime": { "type": "integer", "description": "Milliseconds of work." },
            "workerId": { "type": "string" },
        },
    })
}
