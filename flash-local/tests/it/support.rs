//! A client, and waiting for what other processes do.

use std::time::Duration;

use axum::body::Body;
use axum::http::{HeaderMap, Request, StatusCode};
use flash_local::{Limits, LocalPlatform, WorkerInfo, WorkerState};
use http_body_util::BodyExt;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde_json::Value;

pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Value,
}

/// `Err`: there was no whole answer.
pub(crate) async fn try_send(request: Request<Body>) -> Result<Answer, String> {
    let client: Client<HttpConnector, Body> = Client::builder(TokioExecutor::new()).build_http();
    let response = client.request(request).await.map_err(|error| error.to_string())?;
    let (parts, body) = response.into_parts();
    let text = body.collect().await.map_err(|error| error.to_string())?.to_bytes();
    let body = serde_json::from_slice(&text).unwrap_or(Value::Null);
    Ok(Answer { status: parts.status.as_u16(), headers: parts.headers, body })
}

pub(crate) async fn try_get(url: &str) -> Result<Answer, String> {
    try_send(Request::get(url).body(Body::empty()).unwrap()).await
}

pub(crate) async fn try_post(url: &str, body: impl Into<Body>) -> Result<Answer, String> {
    try_send(Request::post(url).body(body.into()).unwrap()).await
}

pub(crate) async fn send(request: Request<Body>) -> Answer {
    let client: Client<HttpConnector, Body> = Client::builder(TokioExecutor::new()).build_http();
    let response = client.request(request).await.unwrap();
    let (parts, body) = response.into_parts();
    let text = body.collect().await.unwrap().to_bytes();
    let body = serde_json::from_slice(&text).unwrap_or(Value::Null);
    Answer { status: parts.status.as_u16(), headers: parts.headers, body }
}

pub(crate) async fn get(url: &str) -> Answer {
    send(Request::get(url).body(Body::empty()).unwrap()).await
}

pub(crate) async fn post(url: &str, body: impl Into<Body>) -> Answer {
    send(Request::post(url).body(body.into()).unwrap()).await
}

/// The body of an answer that must be 200.
#[track_caller]
pub(crate) fn ok(answer: Answer) -> Value {
    assert_eq!(answer.status, StatusCode::OK.as_u16(), "{}", answer.body);
    answer.body
}

/// Limits under which processes are noticed quickly.
pub(crate) fn quick() -> Limits {
    Limits {
        health_poll: Duration::from_millis(20),
        health_poll_starting: Duration::from_millis(10),
        crash_pause: Duration::from_millis(1),
        ..Limits::default()
    }
}

pub(crate) async fn platform() -> LocalPlatform {
    LocalPlatform::builder().limits(quick()).start().await.unwrap()
}

/// Asks again and again until there is an answer. A minute is for machines that are busy with something else.
pub(crate) async fn poll<T>(what: &str, mut ask: impl AsyncFnMut() -> Option<T>) -> T {
    for _ in 0..6_000 {
        if let Some(answer) = ask().await {
            return answer;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("nothing came of waiting for {what}");
}

/// Waits until a job has this status, and answers it.
pub(crate) async fn until_status(url: &str, id: &str, status: &str) -> Value {
    poll(status, async || {
        let job = ok(get(&format!("{url}/status/{id}")).await);
        (job["status"] == status).then_some(job)
    })
    .await
}

/// The workers that live.
pub(crate) fn alive(workers: &[WorkerInfo]) -> Vec<WorkerInfo> {
    workers.iter().filter(|worker| worker.state.is_alive()).cloned().collect()
}

/// Waits until `count` workers are ready, and answers them.
pub(crate) async fn ready(platform: &LocalPlatform, count: usize) -> Vec<WorkerInfo> {
    let is_ready = |worker: &&WorkerInfo| worker.state == WorkerState::Ready;
    let workers = platform.until_workers(|workers| workers.iter().filter(is_ready).count() == count).await;
    workers.into_iter().filter(|worker| worker.state == WorkerState::Ready).collect()
}

/// Waits until a worker writes a line that begins so, and answers the rest of it.
pub(crate) async fn line(platform: &LocalPlatform, worker: &WorkerInfo, start: &str) -> String {
    poll(start, async || {
        let lines = platform.logs(&worker.id).unwrap();
        lines.iter().find_map(|line| Some(line.text.strip_prefix(start)?.trim().to_owned()))
    })
    .await
}

/// Whether a process runs. One that has ended and was not waited for does not.
pub(crate) fn runs(pid: u32) -> bool {
    let Ok(stat) = std::fs::read_to_string(format!("/proc/{pid}/stat")) else { return false };
    // The state comes after the name, which may contain anything but is in parentheses.
    !stat.rsplit(')').next().unwrap().trim_start().starts_with('Z')
}
