//! The handlers for callers.

use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::http::Uri;
use axum::response::Response;
use flash_core::wire::{JobStatus, PurgeAnswer, RunAccepted, RunRequest};
use serde::de::IgnoredAny;
use serde_json::error::Category;
use serde_json::value::RawValue;

use super::target::ClientTarget;
use super::{answer, body};
use crate::{Limits, Payload, QueueError, Submission};

type Answer = Result<Response, QueueError>;

pub(super) async fn run(target: ClientTarget, body: Body) -> Answer {
    let body = read(body, target.queue.limits().run_body, "/run").await?;
    let id = target.queue.submit(submission(&body)?).await?;
    Ok(answer::json(&RunAccepted { id, status: JobStatus::InQueue }, 0))
}

pub(super) async fn runsync(target: ClientTarget, uri: Uri, body: Body) -> Answer {
    let queue = &target.queue;
    let wait = wait(&uri, queue.limits())?;
    let body = read(body, queue.limits().runsync_body, "/runsync").await?;
    let submission = submission(&body)?;
    // The job has its own copy; a caller may wait for minutes.
    drop(body);
    let job = queue.run_sync(submission, wait).await?;
    if job.status.is_terminal() {
        return Ok(answer::json(&job, job.output.as_ref().map_or(0, Payload::len)));
    }
    Ok(answer::json(&RunAccepted { id: job.id, status: job.status }, 0))
}

pub(super) async fn status(target: ClientTarget) -> Answer {
    let job = target.queue.status(target.job()?).await?;
    Ok(answer::json(&job, job.output.as_ref().map_or(0, Payload::len)))
}

pub(super) async fn stream(target: ClientTarget) -> Answer {
    let stream = target.queue.stream(target.job()?).await?;
    let bytes = stream.stream.iter().map(|chunk| chunk.output.len() + 12).sum();
    Ok(answer::json(&stream, bytes))
}

pub(super) async fn cancel(target: ClientTarget) -> Answer {
    let id = target.job()?;
    let status = target.queue.cancel(id).await?;
    Ok(answer::json(&RunAccepted { id: id.clone(), status }, 0))
}

pub(super) async fn retry(target: ClientTarget) -> Answer {
    let id = target.job()?;
    target.queue.retry(id).await?;
    Ok(answer::json(&RunAccepted { id: id.clone(), status: JobStatus::InQueue }, 0))
}

pub(super) async fn purge(target: ClientTarget) -> Answer {
    let removed = target.queue.purge().await?;
    Ok(answer::json(&PurgeAnswer { removed, status: "completed".to_owned() }, 0))
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

/// How long the caller wants to wait: `?wait=` in milliseconds, moved into its bounds.
fn wait(uri: &Uri, limits: &Limits) -> Result<Duration, QueueError> {
    let wait = uri.query().and_then(|query| query.split('&').find_map(|pair| pair.strip_prefix("wait=")));
    match wait.map(str::parse) {
        None => Ok(limits.wait_default),
        Some(Ok(millis)) => Ok(Duration::from_millis(millis).clamp(limits.wait_min, limits.wait_max)),
        Some(Err(_)) => Err(QueueError::Invalid(
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
        let millis = |query: &str| {
            wait(&format!("http://h/runsync{query}").parse().unwrap(), &limits).unwrap().as_millis()
        };
        assert_eq!(
            (millis(""), millis("?wait=5000"), millis("?a=1&wait=1"), millis("?wait=9999999")),
            (90_000, 5_000, 1_000, 300_000)
        );
        assert!(wait(&"http://h/?wait=soon".parse().unwrap(), &limits).is_err());
    }
}
