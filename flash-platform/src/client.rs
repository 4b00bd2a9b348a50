use std::fmt;
use std::future::{Future, IntoFuture};
use std::pin::Pin;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use flash_core::boot::Boot;
use flash_core::clock::{Clock, Timestamp};
use flash_core::ids::JobId;
use flash_core::wire::{FunctionRequest, FunctionResponse, Health, PurgeAnswer, Raw};
use flash_core::{
    CallError, CallFailure, CallOptions, Error, Job, JobHandle, Priority, Scope, Secret, Stream, Untyped,
    WireError, code,
};
use serde::Serialize;
use serde_json::Value;

use crate::credentials::Credentials;
use crate::http::HttpClient;
use crate::jobs::JobsClient;
use crate::queue_call::QueueCall;
use crate::remote_job::{RemoteJob, Way};

/// Calls queue endpoints that are no part of this program's app, such as ones written in Python: JSON in, JSON out.
///
/// ```no_run
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// use flash_platform::Client;
/// use serde_json::json;
///
/// let endpoint = Client::endpoint("abc123")?;
/// let output = endpoint.call(json!({"prompt": "a cat"})).await?;
/// let job = endpoint.run(json!({"prompt": "a dog"})).await?;
/// println!("{} is {}", job.id(), job.status().await?);
/// let later = job.wait().await?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct Client {
    http: HttpClient,
    credentials: Credentials,
    base: String,
}

impl Client {
    /// The queue endpoint with this id, with the key in `RUNPOD_API_KEY` and at `RUNPOD_ENDPOINT_BASE_URL` (by default
    /// RunPod's own).
    ///
    /// # Errors
    /// An environment that holds something unusable.
    pub fn endpoint(id: impl fmt::Display) -> Result<RemoteEndpoint, Error> {
        static CLIENT: OnceLock<Client> = OnceLock::new();
        let client = match CLIENT.get() {
            Some(client) => client,
            None => {
                let client = Self::from_env()?;
                CLIENT.get_or_init(|| client)
            }
        };
        Ok(client.queue(id))
    }

    /// A client of the account whose key is in `RUNPOD_API_KEY`, at `RUNPOD_ENDPOINT_BASE_URL`.
    ///
    /// # Errors
    /// As [`endpoint`](Self::endpoint).
    pub fn from_env() -> Result<Self, Error> {
        let boot =
            Boot::from_env().map_err(|error| Error::new(code::INTERNAL, error.to_string()).terminal())?;
        Ok(Self::new(&boot.endpoint_base, boot.api_key))
    }

    /// A client with this key of the endpoints under `base`, such as `https://api.runpod.ai/v2`.
    #[must_use]
    pub fn new(base: &str, key: Option<Secret>) -> Self {
        let base = base.trim_end_matches('/').to_owned();
        Self { http: HttpClient::new(), credentials: Credentials::new(key, [base.clone()]), base }
    }

    /// The queue endpoint with this id.
    #[must_use]
    pub fn queue(&self, id: impl fmt::Display) -> RemoteEndpoint {
        let name = id.to_string();
        let address = format!("{}/{name}", self.base);
        RemoteEndpoint { jobs: JobsClient::new(self.http.clone(), self.credentials.clone(), address), name }
    }
}

/// A queue endpoint whose types are not known here.
#[derive(Debug, Clone)]
pub struct RemoteEndpoint {
    jobs: JobsClient,
    name: String,
}

impl RemoteEndpoint {
    /// A call with this `input`: await it for its output, or [`spawn`](UntypedCall::spawn) it.
    pub fn call(&self, input: impl Serialize) -> UntypedCall {
        let input = serde_json::to_vec(&input).map_err(|error| error.to_string());
        UntypedCall {
            endpoint: self.clone(),
            input,
            timeout: None,
            options: CallOptions::default(),
            by_name: false,
        }
    }

    /// A call of a function by its name, as Python's live endpoints have them. Its answer is unwrapped: a `success` that is
    /// false is an error.
    pub fn call_function(&self, function: &FunctionRequest) -> UntypedCall {
        UntypedCall { by_name: true, ..self.call(function) }
    }

    /// Submits a job with this `input`, and does not wait for it.
    ///
    /// # Errors
    /// The job was not accepted.
    pub async fn run(&self, input: impl Serialize) -> Result<Job<Untyped>, Error> {
        self.call(input).spawn().await
    }

    /// A job that was submitted before, by anybody.
    #[must_use]
    pub fn job(&self, id: impl Into<JobId>) -> Job<Untyped> {
        let way = self.way();
        Job::from_handle(Arc::new(RemoteJob { way, id: id.into() }))
    }

    /// How many jobs and workers stand where.
    ///
    /// # Errors
    /// The endpoint does not answer.
    pub async fn health(&self) -> Result<Health, Error> {
        self.jobs.health().await
    }

    /// Removes the jobs that wait for a worker. Those that run go on.
    ///
    /// # Errors
    /// The endpoint does not answer.
    pub async fn purge_queue(&self) -> Result<PurgeAnswer, Error> {
        self.jobs.purge_queue().await
    }

    fn way(&self) -> Way {
        let clock = Scope::current().map_or_else(Clock::real, |scope| scope.app().clock().clone());
        Way { jobs: self.jobs.clone(), clock, name: self.name.clone(), workers_max: None, on_wait: None }
    }
}

/// A call of an endpoint whose types are not known here. Nothing happens until it is awaited.
#[must_use = "a call does nothing until it is awaited"]
pub struct UntypedCall {
    endpoint: RemoteEndpoint,
    input: Result<Vec<u8>, String>,
    timeout: Option<Duration>,
    options: CallOptions,
    by_name: bool,
}

impl UntypedCall {
    /// Bounds the whole call. Without it the endpoint's own times apply, and the deadline of the function that calls.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = Some(timeout);
        self
    }

    /// Says how urgent the job is.
    pub fn priority(mut self, priority: Priority) -> Self {
        self.options.policy.low_priority = (priority == Priority::Low).then_some(true);
        self
    }

    /// Removes the job after this time, whatever its state: 10 s to 7 days, by default 24 h.
    pub fn ttl(mut self, ttl: Duration) -> Self {
        self.options.policy.ttl = u64::try_from(ttl.as_millis()).ok();
        self
    }

    /// Bounds the time that the job may run on a worker: 5 s to 7 days.
    pub fn execution_timeout(mut self, timeout: Duration) -> Self {
        self.options.policy.execution_timeout = u64::try_from(timeout.as_millis()).ok();
        self
    }

    /// Has the platform post the job to this URL when it has ended.
    pub fn webhook(mut self, url: impl Into<String>) -> Self {
        self.options.webhook = Some(url.into());
        self
    }

    /// Cancels the job as soon as nobody waits for the call any more, from its submission on.
    pub fn cancel_on_drop(mut self) -> Self {
        self.options.cancel_on_drop = true;
        self
    }

    /// Submits the call as a job that goes on by itself, and does not wait for its end.
    ///
    /// # Errors
    /// The job was not accepted.
    pub async fn spawn(self) -> Result<Job<Untyped>, Error> {
        let mut call = self.prepared()?;
        call.deadline = call.timeout.map(|timeout| call.way.clock.now() + timeout);
        let handle: Arc<dyn JobHandle> = call.submit().await.map_err(|failure| match failure {
            CallFailure::Transport(error) => error,
            CallFailure::Remote(wire) => Error::from(wire),
        })?;
        Ok(Job::from_handle(handle))
    }

    /// The items of a job that streams, as they arrive. The job is cancelled when the stream is dropped before its end.
    pub fn stream(self) -> Stream<Value, CallError<Error>> {
        match self.prepared() {
            Ok(call) => Job::<Untyped>::items(call.stream()),
            Err(error) => Stream::iter([Err(CallError::Transport(error))]),
        }
    }

    fn prepared(self) -> Result<QueueCall, Error> {
        let input = self.input.map_err(|error| {
            Error::new(code::INVALID_INPUT, format!("the input cannot be encoded as JSON: {error}"))
                .terminal()
        })?;
        // The platform strips an empty input (platform contract A.3).
        let input = if input == b"{}" { br#"{"__empty":true}"#.to_vec() } else { input };
        let input: Raw = crate::queue_call::raw(input)?;
        let way = self.endpoint.way();
        let own = self.timeout.map(|timeout| way.clock.now() + timeout);
        let inherited: Option<Timestamp> = Scope::current().as_ref().and_then(Scope::deadline);
        let deadline = match (own, inherited) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        };
        Ok(QueueCall::new(way, input, deadline, self.timeout, self.options))
    }

    async fn send(self) -> Result<Value, CallError<Error>> {
        let by_name = self.by_name;
        let call = self.prepared().map_err(CallError::Transport)?;
        let json = call.call().await.map_err(|failure| match failure {
            CallFailure::Transport(error) => CallError::Transport(error),
            CallFailure::Remote(wire) => CallError::Remote(Error::from(wire)),
        })?;
        let bad = |error: serde_json::Error| {
            CallError::Transport(Error::new(code::BAD_ANSWER, format!("the answer cannot be read: {error}")))
        };
        if !by_name {
            return serde_json::from_slice(&json).map_err(bad);
        }
        let answer: FunctionResponse = serde_json::from_slice(&json).map_err(bad)?;
        if !answer.success {
            let text = answer.error.unwrap_or_else(|| "the function failed without a reason".to_owned());
            return Err(CallError::Remote(Error::from(WireError::new(code::FAILED, text))));
        }
        let result = answer.json_result.as_ref().map_or("null", |result| result.get());
        serde_json::from_str(result).map_err(bad)
    }
}

impl IntoFuture for UntypedCall {
    type Output = Result<Value, CallError<Error>>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send>>;

    /// Calls, and waits for the output.
    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.send())
    }
}

impl fmt::Debug for UntypedCall {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UntypedCall").field("endpoint", &self.endpoint.name).finish_non_exhaustive()
    }
}
