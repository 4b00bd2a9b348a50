use std::sync::Arc;
use std::time::Duration;

use flash_core::clock::Clock;
use flash_core::ids::JobId;
use flash_core::{Outcome, Secret, WireError, code, to_error_string};
use flash_platform::HttpClient;
use reqwest::{Method, StatusCode};
use tokio::runtime::Handle;
use tokio::sync::Semaphore;
use tokio_util::task::TaskTracker;

use super::backoff::Backoff;
use super::urls::Urls;
use crate::identity::Identity;

/// How long a result is offered to a queue that does not answer. A job that runs longer than the platform's own limit
/// is given up by the platform anyway (platform contract A.3: 10 minutes by default).
const PATIENCE: Duration = Duration::from_secs(600);
/// How long one post may take.
const POST_TIMEOUT: Duration = Duration::from_secs(60);

/// Brings results home: retried until the queue has them, in the background, so that the slot is free at once.
#[derive(Debug, Clone)]
pub(crate) struct Outbox {
    http: HttpClient,
    urls: Urls,
    key: Option<Secret>,
    identity: Identity,
    clock: Clock,
    /// The intake's runtime: no user function can starve it.
    runtime: Handle,
    posts: TaskTracker,
    /// Results that may be on their way at the same time. Without a bound, a worker with fast functions would take jobs
    /// faster than it can bring results home, and hold more of them than it has slots for.
    room: Arc<Semaphore>,
}

impl Outbox {
    pub(crate) fn new(
        http: HttpClient,
        urls: Urls,
        key: Option<Secret>,
        identity: Identity,
        clock: Clock,
        runtime: Handle,
        slots: u32,
    ) -> Self {
        let room = Arc::new(Semaphore::new(slots as usize));
        Self { http, urls, key, identity, clock, runtime, posts: TaskTracker::new(), room }
    }

    /// Takes over the result of a job, as soon as there is room for it.
    pub(crate) async fn put(&self, job: JobId, outcome: Outcome) {
        let body = self.body(&outcome);
        let room = Arc::clone(&self.room).acquire_owned().await;
        let outbox = self.clone();
        let post = async move {
            outbox.deliver(job, body, outcome.is_ok()).await;
            drop(room);
        };
        self.posts.spawn_on(post, &self.runtime);
    }

    /// Waits until every result has been delivered or given up.
    pub(crate) async fn drained(&self) {
        self.posts.close();
        self.posts.wait().await;
    }

    fn body(&self, outcome: &Outcome) -> Vec<u8> {
        match outcome {
            Ok(encoded) => {
                let mut body = Vec::with_capacity(encoded.json.len() + 12);
                body.extend_from_slice(b"{\"output\":");
                body.extend_from_slice(&encoded.json);
                body.push(b'}');
                body
            }
            Err(error) => self.error_body(error),
        }
    }

    fn error_body(&self, error: &WireError) -> Vec<u8> {
        // `error` has to be a string: the platform shows a job with any other value as completed (contract F.1).
        let text = to_error_string(error, &self.identity.hostname, &self.identity.worker_id);
        serde_json::json!({ "error": text }).to_string().into_bytes()
    }

    async fn deliver(&self, job: JobId, mut body: Vec<u8>, mut is_result: bool) {
        let Some(url) = self.urls.done(job.as_str()) else {
            tracing::error!(
                request_id = job.as_str(),
                "RUNPOD_WEBHOOK_POST_OUTPUT is not set, so the result is lost"
            );
            return;
        };
        let give_up = self.clock.now() + PATIENCE;
        let mut backoff = Backoff::new(Duration::from_millis(200), Duration::from_secs(10));
        loop {
            let problem = match self.post(&url, &job, body.clone()).await {
                Ok(status) if status.is_success() => {
                    tracing::debug!(request_id = job.as_str(), "result delivered");
                    return;
                }
                Ok(status) if !may_pass(status) => {
                    if !is_result {
                        tracing::error!(request_id = job.as_str(), %status, "the queue refuses the job's error");
                        return;
                    }
                    // The queue will never take this result, so the caller is told why.
                    tracing::error!(request_id = job.as_str(), %status, bytes = body.len(), "the queue refuses the result");
                    let mut error = WireError::new(
                        code::RESULT_TOO_LARGE,
                        format!("the queue refused the result of {} bytes with {status}", body.len()),
                    )
                    .terminal();
                    error.request_id = Some(job.to_string());
                    body = self.error_body(&error);
                    is_result = false;
                    continue;
                }
                Ok(status) => status.to_string(),
                Err(error) => error,
            };
            if self.clock.now() >= give_up {
                tracing::error!(
                    request_id = job.as_str(),
                    problem,
                    "the result could not be delivered and is lost"
                );
                return;
            }
            tracing::warn!(
                request_id = job.as_str(),
                problem,
                "the result is not delivered yet; trying again"
            );
            self.clock.sleep(backoff.pause()).await;
        }
    }

    async fn post(&self, url: &str, job: &JobId, body: Vec<u8>) -> Result<StatusCode, String> {
        let mut request = self
            .http
            .request(Method::POST, url)
            .map_err(|error| error.to_string())?
            .timeout(POST_TIMEOUT)
            .header("content-type", "application/json")
            .header("x-request-id", job.as_str())
            .body(body);
        if let Some(key) = &self.key {
            // The queue wants the bare key here (platform contract B.3).
            request = request.header("authorization", key.expose());
        }
        let response = request.send().await.map_err(|error| error.without_url().to_string())?;
        let status = response.status();
        // Read to its end, so that the connection can be used again.
        let _ = response.bytes().await;
        Ok(status)
    }
}

/// Whether the same post may be accepted later.
fn may_pass(status: StatusCode) -> bool {
    status.is_server_error() || matches!(status, StatusCode::TOO_MANY_REQUESTS | StatusCode::REQUEST_TIMEOUT)
}
