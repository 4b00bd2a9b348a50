use flash_core::clock::Timestamp;
use flash_core::ids::JobId;
use flash_core::{
    App, Encoded, Endpoint, Fields, JobControl, Origin, Outcome, Produced, Registration, Scope, TraceContext,
    WireError, code,
};
use serde::Deserialize;
use std::sync::Arc;
use tokio_util::sync::CancellationToken;

use super::function_request as request;
use super::stream::{self, ItemWay};

/// Largest result in bytes: the platform drops what is over 20 MB for `/runsync` and over 10 MB for `/run`, and shows
/// the job as completed without output (platform contract B.6, A.4).
const SYNC_RESULT_LIMIT: usize = 20_000_000;
const RESULT_LIMIT: usize = 10_000_000;

/// What Flash itself sends along with a call (spec D10).
#[derive(Deserialize, Default)]
#[serde(default)]
struct Envelope {
    deadline_unix_ms: Option<u64>,
    traceparent: Option<String>,
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

/// How a job ended.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) outcome: Outcome,
    /// Whether its result came item by item.
    pub(crate) is_stream: bool,
    /// Why this worker cannot go on, if a function said so.
    pub(crate) fatal: Option<String>,
}

/// Where the jobs of one endpoint come in: the corridor that the queue door shares with the HTTP door begins at
/// [`Registration::start`].
#[derive(Debug)]
pub(crate) struct Door {
    pub(crate) app: App,
    pub(crate) endpoint: &'static Endpoint,
    functions: Vec<&'static Registration>,
}

impl Door {
    pub(crate) fn new(app: App, endpoint: &'static Endpoint) -> Self {
        let functions = app.registry().functions_of(endpoint.name()).collect();
        Self { app, endpoint, functions }
    }

    /// Runs one job to its end. Items of a stream leave by `way`.
    pub(crate) async fn answer(&self, job: Job<'_>, way: &impl ItemWay) -> Ended {
        let id = job.id;
        let mut is_stream = false;
        let outcome = self.run(job, way, &mut is_stream).await;
        let with_id = |mut error: WireError| {
            error.request_id = Some(id.to_string());
            error
        };
        let fatal = |error: &WireError| {
            error.fatal.then(|| error.internal.clone().unwrap_or_else(|| error.message.clone()))
        };
        match outcome {
            Ok(Answered::Plain(outcome)) => {
                let outcome = outcome.map_err(with_id);
                let fatal = outcome.as_ref().err().and_then(fatal);
                Ended { outcome, is_stream, fatal }
            }
            Ok(Answered::Response(outcome)) => {
                let fatal = outcome.as_ref().err().and_then(fatal);
                let response = match outcome {
                    Ok(result) => request::success(&result),
                    Err(error) => request::failure(&error),
                };
                Ended { outcome: Ok(response), is_stream, fatal }
            }
            Err(error) => {
                let fatal = fatal(&error);
                Ended { outcome: Err(with_id(error)), is_stream, fatal }
            }
        }
    }

    async fn run(
        &self,
        job: Job<'_>,
        way: &impl ItemWay,
        is_stream: &mut bool,
    ) -> Result<Answered, WireError> {
        let mut fields = match job.input {
            // `null` says the same as no input.
            None | Some("null") => Fields::empty(Origin::Input),
            Some(json) => Fields::from_json(Origin::Input, json.as_bytes())?,
        };
        fields.remove("__empty");
        let envelope = fields.remove("__flash").and_then(|json| serde_json::from_str::<Envelope>(json).ok());
        if request::is_one(&fields, &self.functions) {
            let plain = match request::read(&mut fields, &self.functions) {
                Ok(plain) => plain,
                Err(error) => return Ok(Answered::Response(Err(error))),
            };
            let outcome = match Fields::from_json(Origin::Input, plain.input.as_bytes()) {
                Ok(fields) => self.whole(plain.function, fields, envelope, &job).await,
                Err(error) => Err(error),
            };
            return Ok(Answered::Response(outcome));
        }
        let function = self.select(&mut fields)?;
        let limit = limit_of(job.id);
        match function.start(fields, self.scope(function, envelope, &job), limit)?.run().await? {
            Produced::Value(encoded) => Ok(Answered::Plain(Ok(encoded))),
            Produced::Stream(chunks) => {
                *is_stream = true;
                Ok(Answered::Plain(stream::deliver(chunks, limit, way).await))
            }
        }
    }

    /// A reply in one piece: that is how a `FunctionResponse` carries it.
    async fn whole(
        &self,
        function: &'static Registration,
        fields: Fields<'_>,
        envelope: Option<Envelope>,
        job: &Job<'_>,
    ) -> Result<Encoded, WireError> {
        // Its keys count too.
        let limit = limit_of(job.id) - 1_000;
        function.start(fields, self.scope(function, envelope, job), limit)?.run_whole().await
    }

    fn scope(&self, function: &'static Registration, envelope: Option<Envelope>, job: &Job<'_>) -> Scope {
        let Envelope { deadline_unix_ms, traceparent } = envelope.unwrap_or_default();
        let trace = traceparent.and_then(|text| text.parse::<TraceContext>().ok());
        if let Some(trace) = trace {
            tracing::Span::current().record("trace_id", trace.trace_id());
        }
        let mut scope = Scope::builder(self.app.clone())
            .request_id(job.id.as_str())
            .attempt(job.attempt)
            .function(function.meta())
            .cancellation(job.cancellation.clone())
            .deadline(deadline_unix_ms.map(Timestamp::from_millis))
            .trace(trace)
            .deadline(job.deadline);
        if let Some(control) = &job.control {
            scope = scope.control(Arc::clone(control));
        }
        scope.build()
    }

    /// The function that a job means: the endpoint's only one, or the one that `method` names.
    fn select(&self, fields: &mut Fields<'_>) -> Result<&'static Registration, WireError> {
        let names = || self.functions.iter().map(|function| function.meta().key());
        if let [only] = *self.functions {
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
                self.endpoint.name()
            );
            return Err(WireError::new(code::INVALID_INPUT, text).with_status(422).terminal());
        };
        let Ok(name) = serde_json::from_str::<String>(json) else {
            let text = "input.method: expected the name of a function";
            return Err(WireError::new(code::INVALID_INPUT, text).with_status(422).terminal());
        };
        self.functions.iter().copied().find(|function| function.meta().key() == name).ok_or_else(|| {
            WireError::new(code::UNKNOWN_FUNCTION, self.app.registry().unknown_function(&name, names()))
                .terminal()
        })
    }
}

/// In which form the caller wants to have it.
enum Answered {
    Plain(Outcome),
    /// As a `FunctionResponse`.
    Response(Outcome),
}

fn limit_of(id: &JobId) -> usize {
    if id.is_sync() { SYNC_RESULT_LIMIT } else { RESULT_LIMIT }
}
