use flash_core::clock::Timestamp;
use flash_core::ids::JobId;
use flash_core::{App, Endpoint, Fields, JobControl, Origin, Outcome, Registration, Scope, WireError, code};
use serde::Deserialize;
use std::sync::Arc;
use tokio_util::sync::CancellationToken;

/// Largest result in bytes: the platform drops what is over 20 MB for `/runsync` and over 10 MB for `/run`, and shows
/// the job as completed without output (platform contract B.6, A.4).
const SYNC_RESULT_LIMIT: usize = 20_000_000;
const RESULT_LIMIT: usize = 10_000_000;

/// What Flash itself sends along with a call (spec D10).
#[derive(Deserialize, Default)]
#[serde(default)]
struct Envelope {
    deadline_unix_ms: Option<u64>,
}

/// What a worker knows of a job, whoever brought it.
#[derive(Debug)]
pub(crate) struct Job<'a> {
    pub(crate) id: &'a JobId,
    /// The JSON of the input; the platform strips an empty one.
    pub(crate) input: Option<&'a str>,
    /// Which try this is, from 1.
    pub(crate) attempt: u32,
    /// When the function is stopped: the earliest of the job's and the endpoint's limits.
    pub(crate) deadline: Option<Timestamp>,
    /// Set when the job is stopped.
    pub(crate) cancellation: CancellationToken,
    /// The worker's ear for the function's wishes.
    pub(crate) control: Option<Arc<dyn JobControl>>,
}

/// Runs one job of `endpoint` to its end: the corridor that the queue door shares with the HTTP door begins at
/// [`Registration::start`].
pub(crate) async fn answer(app: &App, endpoint: &'static Endpoint, job: Job<'_>) -> Outcome {
    let id = job.id;
    run(app, endpoint, job).await.map_err(|mut error| {
        error.request_id = Some(id.to_string());
        error
    })
}

async fn run(app: &App, endpoint: &'static Endpoint, job: Job<'_>) -> Outcome {
    let mut fields = match job.input {
        // `null` says the same as no input.
        None | Some("null") => Fields::empty(Origin::Input),
        Some(json) => Fields::from_json(Origin::Input, json.as_bytes())?,
    };
    fields.remove("__empty");
    let envelope = fields.remove("__flash").and_then(|json| serde_json::from_str::<Envelope>(json).ok());
    let function = select(app, endpoint, &mut fields)?;
    let mut scope = Scope::builder(app.clone())
        .request_id(job.id.as_str())
        .function(function.meta())
        .cancellation(job.cancellation)
        .deadline(envelope.and_then(|envelope| envelope.deadline_unix_ms).map(Timestamp::from_millis))
        .attempt(job.attempt)
        .deadline(job.deadline);
    if let Some(control) = job.control {
        scope = scope.control(control);
    }
    let limit = if job.id.is_sync() { SYNC_RESULT_LIMIT } else { RESULT_LIMIT };
    function.start(fields, scope.build(), limit)?.run_whole().await
}

/// The function that a job means: the endpoint's only one, or the one that `method` names.
fn select(
    app: &App,
    endpoint: &'static Endpoint,
    fields: &mut Fields<'_>,
) -> Result<&'static Registration, WireError> {
    let functions: Vec<_> = app.registry().functions_of(endpoint.name()).collect();
    let names = || functions.iter().map(|function| function.meta().key());
    if let [only] = *functions {
        let takes_method = only.meta().params.iter().any(|param| param.name == "method");
        if takes_method || !fields.contains("method") {
            return Ok(only);
        }
    }
    let Some(json) = fields.remove("method") else {
        let names = names().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
        let text = format!(
            "input.method: missing field; endpoint `{}` has several functions: {names}\nhelp: send {{\"input\": \
             {{\"method\": \"…\", …}}}}",
            endpoint.name()
        );
        return Err(WireError::new(code::INVALID_INPUT, text).with_status(422).terminal());
    };
    let Ok(name) = serde_json::from_str::<String>(json) else {
        let text = "input.method: expected the name of a function";
        return Err(WireError::new(code::INVALID_INPUT, text).with_status(422).terminal());
    };
    functions.iter().copied().find(|function| function.meta().key() == name).ok_or_else(|| {
        WireError::new(code::UNKNOWN_FUNCTION, app.registry().unknown_function(&name, names())).terminal()
    })
}
