//! The handlers for callers.

use std::pin::pin;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::response::Response;
use flash_core::wire::{Job, JobStatus, PurgeAnswer, RunAccepted, RunRequest};
use serde::Serialize;
use serde::de::IgnoredAny;
use serde_json::error::Category;
use serde_json::value::RawValue;

use super::target::ClientTarget;
use super::{answer, body};
use crate::store::Listing;
use crate::{Limits, Operation, Payload, QueueError, Submission};

type Answer = Result<Response, QueueError>;

pub(super) async fn run(target: ClientTarget, body: Body) -> Answer {
    let answer = async {
        let body = read(body, target.queue.limits().run_body, "/run").await?;
        let submission = keyed(submission(&body)?, &target)?;
        let id = target.queue.submit(submission).await?;
        Ok(answer::json(&RunAccepted { id, status: JobStatus::InQueue }, 0))
    };
    target.serve(Operation::Run, pin!(answer)).await
}

#[expect(
    clippy::manual_async_fn,
    reason = "an `async fn` keeps its arguments twice, and callers wait here by the thousand"
)]
pub(super) fn runsync(target: ClientTarget, body: Body) -> impl Future<Output = Answer> + Send {
    async move {
        let queue = &target.queue;
        let answer = async {
            let wait = wait(target.wait, queue.limits())?;
            let body = read(body, queue.limits().runsync_body, "/runsync").await?;
            let submission = keyed(submission(&body)?, &target)?;
            // The job has its own copy; a caller may wait for minutes.
            drop(body);
            let job = queue.run_sync(submission, wait).await?;
            if job.status.is_terminal() {
                return Ok(answer::job(&job));
            }
            Ok(answer::json(&RunAccepted { id: job.id, status: job.status }, 0))
        };
        target.serve(Operation::RunSync, pin!(answer)).await
    }
}

pub(super) async fn status(target: ClientTarget) -> Answer {
    let answer = async {
        let job = target.queue.status(target.job()?).await?;
        Ok(answer::job(&job))
    };
    target.serve(Operation::Status, pin!(answer)).await
}

/// `/status` that waits for the end of the job (RunPod's JavaScript and Go clients use it; it is not documented).
pub(super) async fn status_sync(target: ClientTarget) -> Answer {
    let answer = async {
        let wait = wait(target.wait, target.queue.limits())?;
        let job = target.queue.wait(target.job()?, wait).await?;
        Ok(answer::job(&job))
    };
    target.serve(Operation::Status, pin!(answer)).await
}

pub(super) async fn stream(target: ClientTarget) -> Answer {
    let answer = async {
        let stream = target.queue.stream(target.job()?).await?;
        let bytes = stream.stream.iter().map(|chunk| chunk.output.len() + 12).sum();
        Ok(answer::json(&stream, bytes))
    };
    target.serve(Operation::Stream, pin!(answer)).await
}

pub(super) async fn cancel(target: ClientTarget) -> Answer {
    let answer = async {
        let id = target.job()?;
        let status = target.queue.cancel(id).await?;
        Ok(answer::json(&RunAccepted { id: id.clone(), status }, 0))
    };
    target.serve(Operation::Cancel, pin!(answer)).await
}

/// The youngest jobs without their payloads. RunPod documents that this exists, but not what it answers.
pub(super) async fn requests(target: ClientTarget) -> Answer {
    #[derive(Serialize)]
    struct Requests {
        requests: Vec<Job<Payload>>,
    }
    let answer = async {
        let listing = Listing { most: target.queue.limits().requests_max, ..Listing::default() };
        let requests = target.queue.list(listing).await?.into_iter().map(|view| view.job).collect();
        Ok(answer::json(&Requests { requests }, 0))
    };
    target.serve(Operation::Requests, pin!(answer)).await
}

pub(super) async fn retry(target: ClientTarget) -> Answer {
    let id = target.job()?;
    target.queue.retry(id).await?;
    Ok(answer::json(&RunAccepted { id: id.clone(), status: JobStatus::InQueue }, 0))
}

pub(super) async fn purge(target: ClientTarget) -> Answer {
    let answer = async {
        let removed = target.queue.purge().await?;
        Ok(answer::json(&PurgeAnswer { removed, status: "completed".to_owned() }, 0))
    };
    target.serve(Operation::Purge, pin!(answer)).await
}

pub(super) async fn health(target: ClientTarget) -> Answer {
    Ok(answer::json(&target.queue.health().await?, 0))
}

async fn read(body: Body, limit: usize, operation: &'static str) -> Result<Bytes, QueueError> {
    body::read(body, limit).await?.map_err(|over| QueueError::BodyTooLarge {
        size: over.size,
        limit,
        operation,
    })
}

/// A submission with its idempotency key: that of the request, else the one inside the input.
fn keyed(submission: Submission, target: &ClientTarget) -> Result<Submission, QueueError> {
    if !target.queue.limits().idempotency_keys {
        return Ok(submission);
    }
    let key = match &target.key {
        None => submission.inner_key(),
        Some(key) => Some(key.to_str().map(str::to_owned).map_err(|_| bad_key())?),
    };
    match key {
        None => Ok(submission),
        Some(key) if key.is_empty() || key.len() > KEY_MAX => Err(bad_key()),
        Some(key) => Ok(submission.idempotency_key(key)),
    }
}

/// The longest idempotency key.
const KEY_MAX: usize = 255;

fn bad_key() -> QueueError {
    QueueError::Invalid(format!("idempotency key is not 1 to {KEY_MAX} visible ASCII characters"))
}

/// How long the caller wants to wait: `?wait=` in milliseconds, moved into its bounds.
fn wait(asked: Result<Option<u64>, ()>, limits: &Limits) -> Result<Duration, QueueError> {
    match asked {
        Ok(None) => Ok(limits.wait_default),
        Ok(Some(millis)) => Ok(Duration::from_millis(millis).clamp(limits.wait_min, limits.wait_max)),
        Err(()) => Err(QueueError::Invalid(
            "`wait` is not a number\nhelp: it is milliseconds: ?wait=90000".to_owned(),
        )),
    }
}

fn submission(body: &[u8]) -> Result<Submission, QueueError> {
    match serde_json::from_slice::<RunRequest<&RawValue>>(body) {
        Ok(request) => {
            Submission::from_request(request).ok_or_else(|| QueueError::NoInput { shape: shape(body) })
        }
        // JSON, but not an object, or one with a wrong `policy` or `webhook`.
        Err(error) if error.classify() == Category::Data => {
            let is_object = body.trim_ascii_start().starts_with(b"{");
            // What comes after the place of the error was not read yet.
            if let Err(error) = serde_json::from_slice::<IgnoredAny>(body) {
                return Err(QueueError::NotJson(error.to_string()));
            }
            Err(if is_object {
                QueueError::Invalid(format!("body is not a job request: {error}"))
            } else {
                QueueError::NoInput { shape: shape(body) }
            })
        }
        Err(error) => Err(QueueError::NotJson(error.to_string())),
    }
}

/// The longest body that is shown inside its right shape.
const SHOWN_MAX: usize = 200;

/// What the caller should have sent: their own body where that is short.
fn shape(body: &[u8]) -> String {
    let body = body.trim_ascii();
    match serde_json::from_slice::<serde_json::Value>(body) {
        Ok(value) if body.len() <= SHOWN_MAX => format!(r#"{{"input": {}}}"#, Spaced(&value)),
        _ => r#"{"input": {…}}"#.to_owned(),
    }
}

/// JSON on one line with a space after each colon and comma, as people write it.
struct Spaced<'a>(&'a serde_json::Value);

impl std::fmt::Display for Spaced<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        use serde_json::Value::{Array, Object};
        let comma = |at: usize| if at == 0 { "" } else { ", " };
        match self.0 {
            Object(entries) => {
                f.write_str("{")?;
                for (at, (key, value)) in entries.iter().enumerate() {
                    write!(f, "{}{}: {}", comma(at), serde_json::Value::from(key.as_str()), Spaced(value))?;
                }
                f.write_str("}")
            }
            Array(items) => {
                f.write_str("[")?;
                for (at, item) in items.iter().enumerate() {
                    write!(f, "{}{}", comma(at), Spaced(item))?;
                }
                f.write_str("]")
            }
            scalar => write!(f, "{scalar}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(body: &str) -> String {
        submission(body.as_bytes()).unwrap_err().to_string()
    }

    #[test]
    fn a_body_without_input_is_shown_its_right_shape() {
        let text = refused(r#"{"x":1}"#);
        assert!(text.ends_with(r#"like this: {"input": {"x": 1}}"#), "{text}");
        assert!(refused(r#"[1,"a"]"#).ends_with(r#"{"input": [1, "a"]}"#));
        assert!(refused("null").ends_with(r#"{"input": null}"#));
        let long = format!(r#"{{"x":"{}"}}"#, "y".repeat(SHOWN_MAX));
        assert!(refused(&long).ends_with(r#"{"input": {…}}"#));
    }

    #[test]
    fn what_is_not_json_is_told_its_place() {
        assert_eq!(
            refused(r#"{"input": 1"#),
            "body is not JSON: EOF while parsing an object at line 1 column 11"
        );
        assert!(refused("").starts_with("body is not JSON: EOF"));
        assert!(refused("nope").contains("line 1 column 2"));
        assert!(refused("{\"input\": 1}\n trailing").contains("line 2 column 2"));
        assert!(refused(r#"{"policy": 1, nope"#).starts_with("body is not JSON"));
    }

    #[test]
    fn a_wrong_part_is_named() {
        let text = refused(r#"{"input":1,"policy":{"ttl":"1h"}}"#);
        assert!(text.contains(r#"string "1h""#) && text.contains("u64"), "{text}");
        assert!(refused(r#"{"input":1,"input":2}"#).contains("duplicate field `input`"));
    }

    #[test]
    fn wait_is_moved_into_its_bounds() {
        let limits = Limits::default();
        let millis = |asked| wait(Ok(asked), &limits).unwrap().as_millis();
        assert_eq!(
            (millis(None), millis(Some(5_000)), millis(Some(1)), millis(Some(9_999_999))),
            (90_000, 5_000, 1_000, 300_000)
        );
        assert!(wait(Err(()), &limits).is_err());
    }
}
