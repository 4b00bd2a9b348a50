//! The handlers for workers.

use axum::body::Body;
use axum::extract::Query;
use axum::http::Uri;
use axum::response::Response;
use flash_core::wire::{DoneBody, StopAnswer, StreamChunk, TakenJob};
use serde::Deserialize;
use serde_json::value::RawValue;

use super::target::WorkerTarget;
use super::{answer, body};
use crate::{Payload, QueueError};

type Answer = Result<Response, QueueError>;

/// What surrounds the output in a body of `job-done`: keys, an error with its traceback.
const AROUND_OUTPUT: usize = 1024 * 1024;

pub(super) async fn take(target: WorkerTarget) -> Answer {
    let WorkerTarget { queue, worker, .. } = &target;
    let _contact = queue.contact(worker);
    let jobs = queue.take(worker, 1, queue.limits().take_hold).await?;
    Ok(jobs.first().map_or_else(answer::no_content, |job| answer::json(job, size(job))))
}

pub(super) async fn take_batch(target: WorkerTarget, uri: Uri) -> Answer {
    let WorkerTarget { queue, worker, stray, .. } = &target;
    let _contact = queue.contact(worker);
    let most = [uri.query().unwrap_or_default(), stray]
        .into_iter()
        .flat_map(|query| query.split('&'))
        .find_map(|pair| pair.strip_prefix("batch_size="))
        .map_or(Ok(1), str::parse::<usize>)
        .map_err(|_| QueueError::Invalid("`batch_size` is not a number".to_owned()))?;
    let most = most.clamp(1, queue.limits().batch_max);
    let jobs = queue.take(worker, most, queue.limits().take_hold).await?;
    if jobs.is_empty() {
        return Ok(answer::no_content());
    }
    Ok(answer::json(&jobs, jobs.iter().map(|job| size(job) + 96).sum()))
}

pub(super) async fn done(target: WorkerTarget, body: Body) -> Answer {
    let WorkerTarget { queue, worker, .. } = &target;
    let _contact = queue.contact(worker);
    let id = target.job()?;
    let bytes = match body::read(body, queue.limits().runsync_result + AROUND_OUTPUT).await? {
        Ok(bytes) => bytes,
        Err(over) => return Err(Box::pin(queue.done_oversized(worker, id, over.size)).await),
    };
    // The worker's content type does not say JSON (RunPod's SDK sends a form's), so it is not looked at.
    let posted: DoneBody<&RawValue> =
        serde_json::from_slice(&bytes).map_err(|error| QueueError::NotJson(error.to_string()))?;
    let DoneBody { status, output, error, stop_pod } = posted;
    let posted = DoneBody { status, output: output.map(Payload::from), error, stop_pod };
    drop(bytes);
    queue.done(worker, id, posted).await?;
    Ok(answer::empty())
}

pub(super) async fn stream(target: WorkerTarget, body: Body) -> Answer {
    let WorkerTarget { queue, worker, .. } = &target;
    let _contact = queue.contact(worker);
    let limit = queue.limits().stream_chunk;
    let too_large = |size| QueueError::BodyTooLarge { size, limit, operation: "job-stream" };
    // `{"output":` and `}` surround a piece.
    let bytes = body::read(body, limit + 64).await?.map_err(|over| too_large(over.size))?;
    let chunk: StreamChunk<&RawValue> =
        serde_json::from_slice(&bytes).map_err(|error| QueueError::NotJson(error.to_string()))?;
    queue.push(worker, target.job()?, chunk.output.into()).await?;
    Ok(answer::empty())
}

pub(super) async fn stop(target: WorkerTarget) -> Answer {
    let WorkerTarget { queue, worker, .. } = &target;
    let _contact = queue.contact(worker);
    let jobs_to_stop = queue.stops(worker, queue.limits().stop_hold).await;
    if jobs_to_stop.is_empty() {
        return Ok(answer::no_content());
    }
    Ok(answer::json(&StopAnswer { jobs_to_stop }, 0))
}

pub(super) async fn ping(target: WorkerTarget, uri: Uri) -> Answer {
    #[derive(Deserialize)]
    struct Report {
        #[serde(default)]
        status: String,
        #[serde(default)]
        check: String,
        #[serde(default)]
        reason: String,
        #[serde(default)]
        job_id: String,
    }
    let WorkerTarget { queue, worker, .. } = &target;
    let _contact = queue.contact(worker);
    let Ok(Query(report)) = Query::<Report>::try_from_uri(&uri) else { return Ok(answer::empty()) };
    if report.status == "unhealthy" {
        queue.worker_unhealthy(worker, &report.check, &report.reason);
    } else {
        let jobs: Vec<&str> = report.job_id.split(',').filter(|id| !id.is_empty()).collect();
        queue.worker_lists(worker, &jobs).await?;
    }
    Ok(answer::empty())
}

fn size(job: &TakenJob<Payload>) -> usize {
    job.input.as_ref().map_or(0, Payload::len)
}
