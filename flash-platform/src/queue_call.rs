use std::sync::Arc;
use std::time::Duration;

use flash_core::clock::Timestamp;
use flash_core::wire::{Job, JobStatus, Raw, RunRequest};
use flash_core::{
    CallFailure, CallOptions, CallRequest, ChunkStream, Error, FieldWriter, JobHandle, code, failure_of,
    unfold,
};
use serde_json::value::RawValue;

use crate::jobs::JobsClient;
use crate::remote_job::{CancelOnDrop, Reason, RemoteJob, Way, stream};

/// The shortest time to live that the platform takes (platform contract A.3).
const SHORTEST_TTL: Duration = Duration::from_secs(10);

/// A call on its way to a queue.
#[derive(Debug)]
pub(crate) struct QueueCall {
    pub(crate) way: Way,
    pub(crate) body: RunRequest,
    pub(crate) deadline: Option<Timestamp>,
    pub(crate) timeout: Option<Duration>,
    pub(crate) cancel_on_drop: bool,
}

impl QueueCall {
    /// The call of a function. `speaks_flash`: its worker is ours, and reads the keys that Flash reserves.
    pub(crate) fn of(
        jobs: JobsClient,
        request: &CallRequest,
        speaks_flash: bool,
    ) -> Result<Self, CallFailure> {
        let input = input_of(request, speaks_flash).map_err(CallFailure::Transport)?;
        let way = Way {
            jobs,
            clock: request.app.clock().clone(),
            name: request.callee.name.to_owned(),
            workers_max: Some(request.callee.resource.workers_max()),
            on_wait: None,
        };
        Ok(Self::new(way, input, request.deadline, request.timeout, request.options.clone()))
    }

    pub(crate) fn new(
        mut way: Way,
        input: Raw,
        deadline: Option<Timestamp>,
        timeout: Option<Duration>,
        options: CallOptions,
    ) -> Self {
        let mut body = RunRequest::new(input);
        let mut policy = options.policy;
        if policy.ttl.is_none()
            && let Some(deadline) = deadline
        {
            // Nobody reads the result after that, so a job that was forgotten on the way does not stay either.
            let left = deadline.since(way.clock.now()).max(SHORTEST_TTL);
            policy.ttl = u64::try_from(left.as_millis()).ok();
        }
        body.policy = (policy != Default::default()).then_some(policy);
        body.webhook = options.webhook;
        way.on_wait = options.on_wait;
        Self { way, body, deadline, timeout, cancel_on_drop: options.cancel_on_drop }
    }

    /// Calls: `/runsync`, then `/status` until the job is at its end; or `/run`, and then the same.
    pub(crate) async fn call(self) -> Result<Vec<u8>, CallFailure> {
        let Self { way, body, deadline, timeout, cancel_on_drop } = self;
        let reason = Reason::default();
        let left = deadline.map(|deadline| deadline.since(way.clock.now()));
        let waiting = async {
            let jobs = &way.jobs;
            let guard = if cancel_on_drop {
                CancelOnDrop::submit(jobs.clone(), body).await.map_err(CallFailure::Transport)?
            } else {
                let running = way.telling(&reason, jobs.run_sync(&body, left)).await;
                let job = running.map_err(CallFailure::Transport)?;
                if job.status.is_terminal() {
                    return finish(job);
                }
                CancelOnDrop::new(jobs.clone(), job.id)
            };
            let job = way.poll(guard.id(), &reason).await.map_err(CallFailure::Transport)?;
            guard.disarm();
            finish(job)
        };
        match deadline {
            None => waiting.await,
            Some(deadline) => way.clock.timeout_at(deadline, waiting).await.unwrap_or_else(|_| {
                Err(CallFailure::Transport(Error::new(
                    code::TIMEOUT,
                    format!(
                        "`{}` did not answer within {}{}",
                        way.name,
                        in_force(timeout, left),
                        reason.text()
                    ),
                )))
            }),
        }
    }

    /// Submits the job.
    pub(crate) async fn submit(self) -> Result<Arc<dyn JobHandle>, CallFailure> {
        let submitting = self.way.jobs.run(&self.body);
        let job = in_time(&self.way, self.deadline, submitting).await.map_err(CallFailure::Transport)?;
        Ok(Arc::new(RemoteJob { way: self.way, id: job.id }))
    }

    /// Submits the job, and reads its items.
    pub(crate) fn stream(self) -> ChunkStream {
        enum Step {
            Submit(Box<QueueCall>),
            Read(ChunkStream),
        }
        Box::pin(unfold(Some(Step::Submit(Box::new(self))), |step| async move {
            let mut items = match step? {
                Step::Read(items) => items,
                Step::Submit(call) => {
                    let QueueCall { way, body, deadline, .. } = *call;
                    let submitting = CancelOnDrop::submit(way.jobs.clone(), body);
                    match in_time(&way, deadline, submitting).await {
                        Err(error) => return Some((Err(CallFailure::Transport(error)), None)),
                        Ok(guard) => stream(way, guard.id().clone(), deadline, Some(guard)),
                    }
                }
            };
            let item = std::future::poll_fn(|cx| items.as_mut().poll_next(cx)).await?;
            Some((item, Some(Step::Read(items))))
        }))
    }
}

/// A submission that has to be accepted before the call's deadline.
async fn in_time<T>(
    way: &Way,
    deadline: Option<Timestamp>,
    submitting: impl Future<Output = Result<T, Error>>,
) -> Result<T, Error> {
    let Some(deadline) = deadline else { return submitting.await };
    way.clock.timeout_at(deadline, submitting).await.unwrap_or_else(|_| {
        let text = format!("the job of `{}` was not accepted in its time", way.name);
        Err(Error::new(code::TIMEOUT, text).in_doubt())
    })
}

/// The time that ended a call, in words.
pub(crate) fn in_force(timeout: Option<Duration>, left: Option<Duration>) -> String {
    match (timeout, left) {
        // The caller's own deadline was earlier.
        (Some(timeout), Some(left)) if left + Duration::from_millis(1) < timeout => {
            format!("the caller's remaining {left:?}")
        }
        (Some(timeout), _) => format!("the call's {timeout:?}"),
        (None, left) => format!("the caller's remaining {:?}", left.unwrap_or_default()),
    }
}

fn finish(job: Job) -> Result<Vec<u8>, CallFailure> {
    match job.status {
        JobStatus::Completed => {
            // An output that the platform left out is a `null`.
            Ok(job.output.map_or_else(|| b"null".to_vec(), |output| output.get().as_bytes().to_vec()))
        }
        _ => Err(CallFailure::Remote(failure_of(job))),
    }
}

/// The job's `input`: the arguments, and the keys that Flash reserves (spec D10).
fn input_of(request: &CallRequest, speaks_flash: bool) -> Result<Raw, Error> {
    let siblings = request.app.registry().functions_of(request.callee.resource.name()).count();
    let mut reserved = FieldWriter::new(usize::MAX);
    if siblings > 1 {
        reserved.put("method", &request.callee.key());
    } else if request.input == b"{}" {
        // The platform strips an empty input (platform contract A.3).
        reserved.put("__empty", &true);
    }
    if speaks_flash {
        let mut envelope = serde_json::Map::new();
        envelope.insert("traceparent".to_owned(), request.trace.to_string().into());
        if let Some(deadline) = request.deadline {
            envelope.insert("deadline_unix_ms".to_owned(), deadline.as_millis().into());
        }
        if let Some(key) = &request.options.idempotency_key {
            envelope.insert("key".to_owned(), key.as_str().into());
        }
        reserved.put("__flash", &envelope);
    }
    raw(joined(&request.input, &reserved.finish().map_err(Error::from)?))
}

/// Two objects as one. Both were written here, so neither is parsed for it.
fn joined(first: &[u8], second: &[u8]) -> Vec<u8> {
    match (first, second) {
        ([b'{', first @ .., b'}'], [b'{', second @ .., b'}']) if !first.is_empty() && !second.is_empty() => {
            [b"{", first, b",", second, b"}"].concat()
        }
        (first, b"{}") => first.to_vec(),
        (_, second) => second.to_vec(),
    }
}

pub(crate) fn raw(json: Vec<u8>) -> Result<Raw, Error> {
    String::from_utf8(json)
        .map_err(Error::internal)
        .and_then(|json| RawValue::from_string(json).map_err(Error::internal))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_objects_become_one() {
        for (first, second, whole) in [
            (r#"{"a":{}}"#, r#"{"b":[1]}"#, r#"{"a":{},"b":[1]}"#),
            ("{}", r#"{"b":1}"#, r#"{"b":1}"#),
            (r#"{"a":1}"#, "{}", r#"{"a":1}"#),
            ("{}", "{}", "{}"),
        ] {
            assert_eq!(joined(first.as_bytes(), second.as_bytes()), whole.as_bytes());
        }
    }
}
