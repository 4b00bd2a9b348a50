use std::time::Duration;

use flash_core::clock::{Clock, Timestamp};
use flash_core::ids::JobId;
use flash_core::wire::{Job, JobStatus, Raw, RunRequest};
use flash_core::{CallFailure, CallRequest, Error, FieldWriter, Fields, Origin, code};
use serde_json::value::RawValue;

use crate::jobs::{JobsClient, failure_of};

/// Pauses between two looks at a job that outlived its `/runsync`.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(2);
/// Looks that may fail in a row before the call does: a platform that restarts is gone for seconds.
const MOST_FAILED_LOOKS: u32 = 8;

/// Calls a function through its queue: `/runsync`, then `/status` until the job is at its end.
pub(crate) async fn call(jobs: JobsClient, request: CallRequest) -> Result<Vec<u8>, CallFailure> {
    let clock = request.app.clock().clone();
    let deadline = request.deadline();
    let body = RunRequest::new(input_of(&request, deadline).map_err(CallFailure::Transport)?);
    let wait = deadline.map(|deadline| deadline.since(clock.now()));
    let waiting = async {
        let job = jobs.run_sync(&body, wait).await.map_err(CallFailure::Transport)?;
        if job.status.is_terminal() {
            return finish(job);
        }
        let guard = CancelOnDrop { jobs: Some(jobs.clone()), id: job.id.clone() };
        let job = poll(&jobs, &clock, job.id).await.map_err(CallFailure::Transport)?;
        guard.disarm();
        finish(job)
    };
    match deadline {
        None => waiting.await,
        Some(deadline) => clock.timeout_at(deadline, waiting).await.unwrap_or_else(|_| {
            Err(CallFailure::Transport(Error::new(
                code::TIMEOUT,
                format!("`{}` did not answer within {}", request.callee.name, in_force(&request, wait)),
            )))
        }),
    }
}

fn in_force(request: &CallRequest, wait: Option<Duration>) -> String {
    match request.timeout {
        Some(timeout) => format!("the call's {timeout:?}"),
        None => format!("the caller's remaining {:?}", wait.unwrap_or_default()),
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

async fn poll(jobs: &JobsClient, clock: &Clock, id: JobId) -> Result<Job, Error> {
    let mut pause = FIRST_PAUSE;
    let mut failed = 0;
    loop {
        clock.sleep(pause).await;
        pause = (pause * 2).min(LONGEST_PAUSE);
        match jobs.status(&id).await {
            Ok(job) if job.status.is_terminal() => return Ok(job),
            Ok(_) => failed = 0,
            Err(error) if error.is_retryable() && failed < MOST_FAILED_LOOKS => {
                failed += 1;
                tracing::debug!(job = %id, %error, "looking again");
            }
            Err(error) => return Err(error),
        }
    }
}

/// The job's `input`: the arguments, and the keys that Flash reserves (spec D10).
fn input_of(request: &CallRequest, deadline: Option<Timestamp>) -> Result<Raw, Error> {
    let siblings = request.app.registry().functions_of(request.callee.resource.name()).count();
    let empty = request.input == b"{}";
    if siblings <= 1 && deadline.is_none() && !empty {
        return raw(request.input.clone());
    }
    let fields = Fields::from_json(Origin::Input, &request.input).map_err(Error::from)?;
    let mut writer = FieldWriter::new(usize::MAX);
    for (name, json) in fields.json_entries() {
        writer.put_raw(name, json.as_bytes());
    }
    if siblings > 1 {
        writer.put("method", &request.callee.key());
    } else if empty {
        // The platform strips an empty input (platform contract A.3).
        writer.put("__empty", &true);
    }
    if let Some(deadline) = deadline {
        writer.put("__flash", &serde_json::json!({ "deadline_unix_ms": deadline.as_millis() }));
    }
    raw(writer.finish().map_err(Error::from)?)
}

fn raw(json: Vec<u8>) -> Result<Raw, Error> {
    String::from_utf8(json)
        .map_err(Error::internal)
        .and_then(|json| RawValue::from_string(json).map_err(Error::internal))
}

/// Cancels the job when its caller no longer waits.
struct CancelOnDrop {
    jobs: Option<JobsClient>,
    id: JobId,
}

impl CancelOnDrop {
    fn disarm(mut self) {
        self.jobs = None;
    }
}

impl Drop for CancelOnDrop {
    fn drop(&mut self) {
        let (Some(jobs), Ok(runtime)) = (self.jobs.take(), tokio::runtime::Handle::try_current()) else {
            return;
        };
        let id = self.id.clone();
        runtime.spawn(async move {
            if let Err(error) = jobs.cancel(&id).await {
                tracing::debug!(job = %id, %error, "the job of a dropped call could not be cancelled");
            }
        });
    }
}
