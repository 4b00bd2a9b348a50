//! The functions that the tests call.

use std::time::Duration;

/// The guide of testing, whose examples are compiled and run.
#[cfg(doctest)]
#[doc = include_str!("../../docs/testing.md")]
pub mod guide {}

pub mod barrier;
pub mod calling;
pub mod faults;
pub mod interop;
pub mod web;

use flash::prelude::*;
use serde::{Deserialize, Serialize};

/// A queue with one function.
pub static ECHO: Endpoint = Endpoint::queue("echo").cpu(&["cpu3c-1-2"]).concurrency(4);
/// A queue with several functions.
pub static MIXED: Endpoint = Endpoint::queue("mixed").cpu(&["cpu3c-1-2"]).concurrency(8);
/// Routes, some of which call the queues.
pub static API: Endpoint = Endpoint::http("api").cpu(&["cpu3c-1-2"]).workers(1, 3);

/// A value with structure.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Item {
    /// Some text.
    pub name: String,
    /// Some numbers.
    pub counts: Vec<u32>,
}

/// What [`check()`] may say.
#[derive(Debug, Clone, PartialEq, thiserror::Error, RemoteError)]
pub enum CheckError {
    /// No data.
    #[error("the text is empty")]
    #[remote(status = 422, terminal)]
    Empty,
    /// With data.
    #[error("the text has {length} characters, the limit is {limit}")]
    #[remote(status = 409, retryable)]
    TooLong {
        /// Characters.
        length: usize,
        /// Limit.
        limit: usize,
    },
}

/// What [`check_through()`] may say.
#[derive(Debug, thiserror::Error, RemoteError)]
pub enum ThroughError {
    /// The callee failed.
    #[error("the check failed")]
    #[remote(call)]
    Check(CallError<CheckError>),
}

/// Gives back what it gets.
#[remote(resource = ECHO)]
pub async fn echo(
    text: String,
    #[remote(default = 1)] times: u32,
    item: Option<Item>,
) -> Result<(String, Option<Item>), flash::Error> {
    Ok((text.repeat(times as usize), item))
}

/// Fails in typed ways.
#[remote(resource = MIXED)]
pub async fn check(text: String) -> Result<usize, CheckError> {
    match text.chars().count() {
        0 => Err(CheckError::Empty),
        length if length > 10 => Err(CheckError::TooLong { length, limit: 10 }),
        length => Ok(length),
    }
}

/// Panics with a text that no caller may see.
#[remote(resource = MIXED)]
pub async fn explode() -> Result<(), flash::Error> {
    panic!("the secret inside")
}

/// Fails with a cause that no caller may see.
#[remote(resource = MIXED)]
pub async fn leak() -> Result<(), flash::Error> {
    Err(flash::Error::internal(std::io::Error::other("the secret inside")))
}

/// Takes its time, without blocking.
#[remote(resource = MIXED)]
pub async fn slow(millis: u64) -> Result<u64, flash::Error> {
    tokio::time::sleep(Duration::from_millis(millis)).await;
    Ok(millis)
}

/// Blocks a thread.
#[remote(resource = MIXED)]
pub fn block(millis: u64) -> Result<u64, flash::Error> {
    std::thread::sleep(Duration::from_millis(millis));
    Ok(millis)
}

/// A result of this many bytes.
#[remote(resource = MIXED)]
pub async fn big(bytes: usize) -> Result<String, flash::Error> {
    Ok("x".repeat(bytes))
}

/// Who runs it.
#[remote(resource = MIXED)]
pub async fn whoami() -> Result<u32, flash::Error> {
    Ok(std::process::id())
}

/// Calls [`check()`] and passes its failure on.
#[remote(resource = API, method = "POST", path = "/check")]
pub async fn check_through(text: String) -> Result<usize, ThroughError> {
    Ok(check::remote(text).await?)
}

/// Calls [`whoami()`]; the answer is another process when deployed.
#[remote(resource = API, method = "GET", path = "/pids")]
pub async fn pids() -> Result<(u32, u32), flash::Error> {
    Ok((std::process::id(), whoami::remote().await?))
}

/// Calls [`slow()`].
#[remote(resource = API, method = "POST", path = "/slow")]
pub async fn slow_through(millis: u64) -> Result<u64, flash::Error> {
    Ok(slow::remote(millis).await?)
}

/// Path and query.
#[remote(resource = API, method = "GET", path = "/items/{id}")]
pub async fn item(
    id: u32,
    tags: Option<Vec<String>>,
    #[remote(default)] deep: bool,
) -> Result<(u32, Vec<String>, bool), flash::Error> {
    Ok((id, tags.unwrap_or_default(), deep))
}

/// Path and body.
#[remote(resource = API, method = "PUT", path = "/items/{id}", status = 201)]
pub async fn put_item(id: u32, item: Item) -> Result<(u32, Item), flash::Error> {
    Ok((id, item))
}

/// Nothing to say.
#[remote(resource = API, method = "DELETE", path = "/items/{id}")]
pub async fn delete_item(id: u32) -> Result<(), CheckError> {
    if id == 0 { Err(CheckError::Empty) } else { Ok(()) }
}

/// Panics behind a route.
#[remote(resource = API, method = "POST", path = "/explode")]
pub async fn explode_route() -> Result<(), flash::Error> {
    panic!("the secret inside")
}

/// Calls [`echo()`] through a helper, which no macro can see.
#[remote(resource = API, method = "POST", path = "/hidden")]
pub async fn hidden_through(text: String) -> Result<String, flash::Error> {
    helper(text).await
}

async fn helper(text: String) -> Result<String, flash::Error> {
    Ok(echo::remote(text, 1, None).await?.0)
}

/// Tells how far it is, often, and then its result.
#[remote(resource = MIXED)]
pub async fn report(steps: u32, context: Context) -> Result<String, flash::Error> {
    for step in 0..steps {
        context.progress(&step)?;
        tokio::task::yield_now().await;
    }
    Ok("done".to_owned())
}

/// Says that the worker cannot go on.
#[remote(resource = MIXED)]
pub async fn break_worker() -> Result<(), flash::Error> {
    Err(flash::Error::new("gpu_lost", "the GPU is gone").fatal())
}

/// Asks for a fresh worker.
#[remote(resource = MIXED)]
pub async fn refresh(context: Context) -> Result<u32, flash::Error> {
    context.refresh_worker();
    Ok(1)
}

/// Blocks a thread until its job is stopped, or for good when it is deaf.
#[remote(resource = MIXED)]
#[allow(clippy::needless_pass_by_value, reason = "a remote function owns its arguments")]
pub fn wait_for_stop(deaf_millis: u64, context: Context) -> Result<bool, flash::Error> {
    if deaf_millis > 0 {
        std::thread::sleep(Duration::from_millis(deaf_millis));
        return Ok(context.is_cancelled());
    }
    while !context.is_cancelled() {
        std::thread::yield_now();
    }
    Ok(true)
}

/// An endpoint that is slow to start.
pub static GATED: Endpoint = Endpoint::http("gated").cpu(&["cpu3c-1-2"]);

/// State that is there as soon as the file named by `FIXTURE_GATE` is, and is broken when that file says so.
#[derive(Debug)]
pub struct Gate(String);

impl FromWorker for Gate {
    type Error = String;

    async fn from_worker(_: &Worker) -> Result<Self, String> {
        let Ok(file) = std::env::var("FIXTURE_GATE") else { return Ok(Self(String::new())) };
        loop {
            match std::fs::read_to_string(&file) {
                Ok(text) if text.contains("broken") => return Err(format!("the gate is {text}")),
                Ok(text) if !text.is_empty() => return Ok(Self(text)),
                _ => tokio::time::sleep(Duration::from_millis(5)).await,
            }
        }
    }
}

/// What stands in the file.
#[remote(resource = GATED, method = "GET", path = "/gate")]
pub async fn gate(gate: State<Gate>) -> Result<String, flash::Error> {
    Ok(gate.0.clone())
}
