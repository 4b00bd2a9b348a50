use std::time::Duration;

use flash_core::ids::JobId;
use flash_core::{App, DoorKind, Fields, Kind, Origin, Registration, Scope, WireError, result_limit};
use serde::Deserialize;
use serde_json::value::RawValue;
use tokio_util::sync::CancellationToken;

use crate::identity::request_id;
use crate::queue::{Door, Job, NoWay};

/// Runs one function with these arguments; the text is what to print.
pub(crate) async fn call(app: &App, function: &str, input: &str) -> Result<String, String> {
    let registry = app.registry();
    let names = || registry.functions().map(|function| function.meta().name);
    let function = registry.get(function).ok_or_else(|| registry.unknown_function(function, names()))?;
    run(app, function, input).await.map_err(|error| text_of(&error))
}

async fn run(app: &App, function: &'static Registration, input: &str) -> Result<String, WireError> {
    let fields = Fields::from_json(Origin::Input, input.as_bytes())?;
    let scope = Scope::builder(app.clone()).request_id(request_id()).function(function.meta()).build();
    let encoded = function.start(fields, scope, result_limit(DoorKind::Queue))?.run_whole().await?;
    Ok(pretty(&encoded.json))
}

/// A job as the Python worker's `--test_input` and `test_input.json` bring it (platform contract B.14).
#[derive(Deserialize)]
struct TestJob<'a> {
    #[serde(default)]
    id: Option<String>,
    #[serde(borrow)]
    input: Option<&'a RawValue>,
}

/// Runs one job on the app's queue endpoint.
pub(crate) async fn test_job(app: &App, json: &str) -> Result<String, String> {
    let job: TestJob<'_> = serde_json::from_str(json).map_err(|error| {
        format!(
            "the test job is not usable: {error}\nhelp: it looks like {{\"input\": {{\"text\": \"hi\"}}}}"
        )
    })?;
    let Some(input) = job.input else {
        return Err(
            "the test job has no `input`\nhelp: it looks like {\"input\": {\"text\": \"hi\"}}".to_owned()
        );
    };
    let queues: Vec<_> =
        app.registry().resources().filter(|endpoint| endpoint.kind() == Kind::Queue).collect();
    let [endpoint] = *queues else {
        let names =
            queues.iter().map(|endpoint| format!("`{}`", endpoint.name())).collect::<Vec<_>>().join(", ");
        return Err(format!(
            "a test job is for an app with one queue endpoint; this one has {}\nhelp: run one function with `call \
             FUNCTION JSON`",
            if names.is_empty() { "none".to_owned() } else { names }
        ));
    };
    let id = JobId::from(job.id.unwrap_or_else(|| "local_test".to_owned()));
    let work = Job {
        id: &id,
        input: Some(input.get()),
        attempt: 1,
        deadline: endpoint.execution_timeout_ms().map(|ms| app.clock().now() + Duration::from_millis(ms)),
        cancellation: CancellationToken::new(),
        control: None,
    };
    let ended = Door::new(app.clone(), endpoint).answer(work, &NoWay).await;
    ended.outcome.map(|encoded| pretty(&encoded.json)).map_err(|error| text_of(&error))
}

fn pretty(json: &[u8]) -> String {
    let value: Result<serde_json::Value, _> = serde_json::from_slice(json);
    value
        .and_then(|value| serde_json::to_string_pretty(&value))
        .unwrap_or_else(|_| String::from_utf8_lossy(json).into_owned())
}

fn text_of(error: &WireError) -> String {
    let internal = error.internal.as_deref().map(|text| format!("\ncaused by: {text}")).unwrap_or_default();
    format!("{} ({}){internal}", error.message, error.code)
}
