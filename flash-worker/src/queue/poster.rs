use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use flash_core::clock::Timestamp;
use flash_core::ids::JobId;
use flash_core::{Outcome, WireError, code, to_error_string};
use http::StatusCode;

use super::backoff::Backoff;
use super::link::Link;
use super::outbox::{Answer, Delivery};
use super::urls::Address;
use crate::identity::Identity;

/// How long one post may take.
const POST_TIMEOUT: Duration = Duration::from_secs(60);
/// From this size on a refusal without a reason is about the size (platform contract B.6).
const MAY_BE_TOO_LARGE: usize = 1_000_000;

/// Brings what a job has to say to the queue, each post retried until it is accepted or useless.
#[derive(Debug)]
pub(crate) struct Poster {
    pub(crate) link: Arc<Link>,
    pub(crate) identity: Identity,
    pub(crate) worker: Arc<str>,
}

/// How a post ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Posted {
    Accepted,
    /// The queue will never take it.
    Refused(StatusCode),
    /// The job's time was over first, or the platform stopped the job.
    GivenUp,
}

impl Poster {
    pub(crate) fn new(link: Arc<Link>, identity: Identity) -> Self {
        Self { link, worker: identity.worker_id.as_str().into(), identity }
    }

    /// What is posted for an outcome, of a stream or not. `refresh`: the platform resets this worker afterwards.
    pub(crate) fn answer(&self, outcome: &Outcome, is_stream: bool, refresh: bool) -> Answer {
        let mut body = match outcome {
            Ok(encoded) => {
                let mut body = Vec::with_capacity(encoded.json.len() + 28);
                body.extend_from_slice(b"{\"output\":");
                body.extend_from_slice(&encoded.json);
                body.push(b'}');
                body
            }
            Err(error) => self.error_body(error),
        };
        if refresh {
            body.pop();
            body.extend_from_slice(b",\"stopPod\":true}");
        }
        Answer { body: body.into(), is_result: outcome.is_ok(), is_stream }
    }

    fn error_body(&self, error: &WireError) -> Vec<u8> {
        // `error` has to be a string: the platform shows a job with any other value as completed (contract F.1).
        let text = to_error_string(error, &self.identity.hostname, &self.identity.worker_id);
        serde_json::json!({ "error": text }).to_string().into_bytes()
    }

    /// Brings the last word of a job to the queue.
    pub(crate) async fn deliver(&self, delivery: &Delivery) {
        let job = delivery.job();
        let urls = &self.link.urls;
        let address = match &delivery.taken_by {
            None => urls.done(job.as_str(), delivery.answer.is_stream),
            Some(worker) => urls.done_of(worker, job.as_str(), delivery.answer.is_stream),
        };
        let Some(address) = address else {
            tracing::error!(
                request_id = job.as_str(),
                "RUNPOD_WEBHOOK_POST_OUTPUT is not set, so the result is lost"
            );
            return;
        };
        let Answer { body, is_result, .. } = &delivery.answer;
        let posted = self.post(&address, delivery, body.clone()).await;
        let Posted::Refused(status) = posted else { return };
        if !*is_result || is_gone(status) {
            tracing::error!(request_id = job.as_str(), %status, "the queue refuses the job's answer");
            return;
        }
        // The queue will never take this result, so the caller is told why.
        tracing::error!(request_id = job.as_str(), %status, bytes = body.len(), "the queue refuses the result");
        let is_size = status == StatusCode::PAYLOAD_TOO_LARGE || body.len() >= MAY_BE_TOO_LARGE;
        let code = if is_size { code::RESULT_TOO_LARGE } else { code::FAILED };
        let text = format!("the queue refused the result of {} bytes with {status}", body.len());
        let mut error = WireError::new(code, text).terminal();
        error.request_id = Some(job.to_string());
        if self.post(&address, delivery, self.error_body(&error).into()).await == Posted::Accepted {
            return;
        }
        tracing::error!(request_id = job.as_str(), "the queue refuses the job's error too");
    }
}

impl Poster {
    pub(crate) fn now(&self) -> Timestamp {
        self.link.clock.now()
    }

    /// Whether items of streams can be posted one by one.
    pub(crate) fn can_stream(&self) -> bool {
        self.link.urls.can_stream()
    }

    /// Brings one item of a stream to the queue.
    ///
    /// # Errors
    /// The queue does not take it, and therefore the job fails.
    pub(crate) async fn item(&self, to: &impl Addressee, json: Vec<u8>) -> Result<(), WireError> {
        let Some(address) = self.link.urls.stream(to.job().as_str()) else { return Ok(()) };
        let mut body = Vec::with_capacity(json.len() + 11);
        body.extend_from_slice(b"{\"output\":");
        body.extend_from_slice(&json);
        body.push(b'}');
        match self.post(&address, to, body.into()).await {
            Posted::Accepted => Ok(()),
            Posted::Refused(status) => {
                let text =
                    format!("the queue refused an item of the stream of {} bytes with {status}", json.len());
                Err(WireError::new(code::FAILED, text).terminal())
            }
            Posted::GivenUp => {
                Err(WireError::new(code::TIMEOUT, "an item of the stream was not delivered in time"))
            }
        }
    }

    /// Posts progress, once: a newer one follows, and the result counts.
    pub(crate) async fn progress(&self, job: &JobId, json: Vec<u8>) {
        let Some(address) = self.link.urls.done(job.as_str(), false) else { return };
        let mut body = b"{\"status\":\"IN_PROGRESS\",\"output\":".to_vec();
        body.extend_from_slice(&json);
        body.push(b'}');
        let request_id = job.as_str();
        match self.link.post(address, job, body.into(), POST_TIMEOUT).await {
            Ok(status) if status.is_success() => {}
            Ok(status) => tracing::debug!(request_id, %status, "the progress was not accepted"),
            Err(problem) => tracing::debug!(request_id, %problem, "the progress was not delivered"),
        }
    }

    /// Posts until the queue accepts it, refuses it for good, or nobody wants it any more.
    pub(crate) async fn post(&self, address: &Address, to: &impl Addressee, body: Bytes) -> Posted {
        let request_id = to.job().as_str();
        let clock = &self.link.clock;
        let mut backoff = Backoff::new(Duration::from_millis(200), Duration::from_secs(10));
        loop {
            // Nothing is posted for a job that the platform has stopped.
            if to.is_stopped() {
                return Posted::GivenUp;
            }
            let problem = match self.link.post(address.clone(), to.job(), body.clone(), POST_TIMEOUT).await {
                Ok(status) if status.is_success() => {
                    tracing::debug!(request_id, "delivered");
                    return Posted::Accepted;
                }
                Ok(status) if !may_pass(status) => return Posted::Refused(status),
                Ok(status) => status.to_string(),
                Err(error) => error.to_string(),
            };
            let left = to.give_up().since(clock.now());
            if left.is_zero() {
                tracing::error!(
                    request_id,
                    problem,
                    "the job's time is over before its result could be delivered; it is lost"
                );
                return Posted::GivenUp;
            }
            tracing::warn!(request_id, problem, "not delivered yet; trying again");
            clock.sleep(backoff.pause().min(left)).await;
        }
    }
}

/// For which job something is posted, and how long that makes sense.
pub(crate) trait Addressee {
    fn job(&self) -> &JobId;
    fn give_up(&self) -> Timestamp;
    /// Whether the platform stopped the job.
    fn is_stopped(&self) -> bool;
}

/// Whether the same post may be accepted later.
fn may_pass(status: StatusCode) -> bool {
    status.is_server_error() || matches!(status, StatusCode::TOO_MANY_REQUESTS | StatusCode::REQUEST_TIMEOUT)
}

/// Whether the queue does not know the job any more, so that no other answer is wanted either.
fn is_gone(status: StatusCode) -> bool {
    matches!(status, StatusCode::NOT_FOUND | StatusCode::GONE)
}
