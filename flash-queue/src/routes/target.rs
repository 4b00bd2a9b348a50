//! What a request is about, read from its path, after its caller was checked.

use std::pin::Pin;
use std::sync::Arc;

use axum::extract::{FromRequestParts, RawPathParams};
use axum::http::header::{HeaderName, HeaderValue};
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};
use flash_core::ids::{EndpointId, JobId, WorkerId};

use super::auth::Caller;
use super::door::{Door, Endpoints};
use super::rate;
use crate::{Operation, Queue, QueueError};

const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");

/// The endpoint and the job that a client asks for.
#[derive(Debug)]
pub(super) struct ClientTarget {
    pub(super) queue: Queue,
    job: Option<JobId>,
    /// The idempotency key of the request.
    pub(super) key: Option<HeaderValue>,
    /// `?wait=`, in milliseconds. `Err`: it is no number.
    pub(super) wait: Result<Option<u64>, ()>,
    limited: bool,
}

/// The endpoint, the worker that asks, and the job it asks about.
#[derive(Debug)]
pub(super) struct WorkerTarget {
    pub(super) queue: Queue,
    pub(super) worker: WorkerId,
    job: Option<JobId>,
    /// Parameters that landed in the path, because the SDK appends them with `&` to a URL that has no `?`.
    pub(super) stray: String,
}

impl ClientTarget {
    /// Answers a request if it may be served, and says in the answer how many more may come.
    ///
    /// `answer` stays where it is: a future that is handed on by value is there twice, and the memory of a request that waits
    /// would double with each layer.
    pub(super) async fn serve<F>(
        &self,
        operation: Operation,
        answer: Pin<&mut F>,
    ) -> Result<Response, QueueError>
    where
        F: Future<Output = Result<Response, QueueError>>,
    {
        let pass = if self.limited { self.queue.admit(operation)? } else { None };
        let Some(pass) = pass else { return answer.await };
        let mut response = answer.await.unwrap_or_else(IntoResponse::into_response);
        rate::write(&pass, response.headers_mut());
        Ok(response)
    }

    pub(super) fn job(&self) -> Result<&JobId, QueueError> {
        self.job.as_ref().ok_or_else(|| QueueError::Invalid("the path names no job".to_owned()))
    }
}

impl WorkerTarget {
    pub(super) fn job(&self) -> Result<&JobId, QueueError> {
        self.job.as_ref().ok_or_else(|| QueueError::Invalid("the path names no job".to_owned()))
    }
}

impl FromRequestParts<Arc<Door>> for ClientTarget {
    type Rejection = QueueError;

    async fn from_request_parts(parts: &mut Parts, door: &Arc<Door>) -> Result<Self, QueueError> {
        let params = params(parts, door).await?;
        let queue = queue(door, &params, parts, |endpoint| Caller::Client { endpoint })?;
        let job = params.iter().find(|(name, _)| *name == "job").map(|(_, id)| id.into());
        let key = parts.headers.get(IDEMPOTENCY_KEY).cloned();
        let wait = wait(parts.uri.query());
        Ok(Self { queue, job, key, wait, limited: door.limited })
    }
}

impl FromRequestParts<Arc<Door>> for WorkerTarget {
    type Rejection = QueueError;

    async fn from_request_parts(parts: &mut Parts, door: &Arc<Door>) -> Result<Self, QueueError> {
        let params = params(parts, door).await?;
        let queue = queue(door, &params, parts, |endpoint| Caller::Worker { endpoint })?;
        let (mut worker, mut job, mut stray) = ("", None, "");
        for (name, value) in &params {
            let value = match value.split_once('&') {
                None => value,
                Some((value, rest)) => {
                    stray = rest;
                    value
                }
            };
            match name {
                "worker" => worker = value,
                "job" => job = Some(JobId::from(value)),
                _ => {}
            }
        }
        Ok(Self { queue, worker: worker.into(), job, stray: stray.to_owned() })
    }
}

fn wait(query: Option<&str>) -> Result<Option<u64>, ()> {
    let wait = query.and_then(|query| query.split('&').find_map(|pair| pair.strip_prefix("wait=")));
    wait.map(str::parse).transpose().map_err(|_| ())
}

async fn params(parts: &mut Parts, door: &Arc<Door>) -> Result<RawPathParams, QueueError> {
    RawPathParams::from_request_parts(parts, door)
        .await
        .map_err(|error| QueueError::Invalid(format!("the path can not be read: {error}")))
}

fn queue(
    door: &Door,
    params: &RawPathParams,
    parts: &Parts,
    caller: fn(&str) -> Caller<'_>,
) -> Result<Queue, QueueError> {
    let (endpoint, found) = match &door.endpoints {
        Endpoints::One(queue) => (queue.id().as_str(), Some(queue.clone())),
        Endpoints::All(queues) => {
            let endpoint = params.iter().find(|(name, _)| *name == "endpoint").map_or("", |(_, id)| id);
            (endpoint, queues.get(endpoint))
        }
    };
    // Who may not call does not learn which endpoints there are.
    if !door.auth.allows(caller(endpoint), &parts.headers) {
        return Err(QueueError::Unauthorized);
    }
    found.ok_or_else(|| QueueError::UnknownEndpoint(EndpointId::from(endpoint)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wait_is_read_wherever_it_stands() {
        assert_eq!((wait(None), wait(Some("a=1"))), (Ok(None), Ok(None)));
        assert_eq!((wait(Some("wait=5000")), wait(Some("a=1&wait=1"))), (Ok(Some(5_000)), Ok(Some(1))));
        assert_eq!((wait(Some("wait=soon")), wait(Some("wait="))), (Err(()), Err(())));
    }
}
