//! Functions for the tests of calls.

use std::collections::HashMap;
use std::sync::Mutex;

use flash::prelude::*;
use flash::{Error, Stream, Timestamp};
use serde::{Deserialize, Serialize};

use crate::interop::{INTEROP, hold};
use crate::{API, MIXED};

/// A queue whose one function streams, as one of the Python worker's does.
pub static COUNTER: Endpoint = Endpoint::queue("counter").cpu(&["cpu3c-1-2"]).concurrency(2);

/// One item.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Number {
    /// The number.
    pub n: u32,
}

fn numbers(to: u32, then_fail: bool) -> Stream<Number, Error> {
    let failure = then_fail.then(|| Err(Error::new("no_further", "no further")));
    Stream::iter((0..to).map(|n| Ok(Number { n })).chain(failure))
}

/// Counts, and may fail at the end.
#[remote(resource = COUNTER)]
pub async fn count_up(to: u32, #[remote(default)] then_fail: bool) -> Result<Stream<Number, Error>, Error> {
    Ok(numbers(to, then_fail))
}

/// The same behind a route.
#[remote(resource = API, method = "GET", path = "/count_up")]
pub async fn count_up_route(
    to: u32,
    #[remote(default)] then_fail: bool,
) -> Result<Stream<Number, Error>, Error> {
    Ok(numbers(to, then_fail))
}

/// Fails in a way that may pass, this many times for each key.
#[remote(resource = MIXED)]
pub async fn flaky(key: String, failures: u32) -> Result<u32, Error> {
    static TRIES: Mutex<Option<HashMap<String, u32>>> = Mutex::new(None);
    let mut tries = TRIES.lock().map_err(|_| Error::new("poisoned", "poisoned"))?;
    let tries = tries.get_or_insert_default().entry(key).or_default();
    *tries += 1;
    if *tries <= failures { Err(Error::new("busy", "busy").retryable()) } else { Ok(*tries) }
}

/// What a function knows of what surrounds it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Surroundings {
    /// Its deadline, in milliseconds since the Unix epoch.
    pub deadline: Option<u64>,
    /// The trace it belongs to.
    pub trace: Option<String>,
}

/// Tells what surrounds it.
#[remote(resource = MIXED)]
#[allow(clippy::needless_pass_by_value, reason = "a remote function owns its arguments")]
pub fn surroundings(context: Context) -> Result<Surroundings, Error> {
    Ok(Surroundings {
        deadline: context.deadline().map(Timestamp::as_millis),
        trace: context.trace().map(|trace| trace.trace_id()),
    })
}

/// Tells what surrounds it, and what surrounds a function that it calls.
#[remote(resource = API, method = "POST", path = "/two_hops")]
pub async fn two_hops(context: Context) -> Result<(Surroundings, Surroundings), Error> {
    let there = surroundings::remote().await?;
    let here = Surroundings {
        deadline: context.deadline().map(Timestamp::as_millis),
        trace: context.trace().map(|trace| trace.trace_id()),
    };
    Ok((here, there))
}

/// Blocks a thread while another function waits for a file.
#[remote(resource = INTEROP)]
pub fn hold_through(file: String) -> Result<String, Error> {
    Ok(hold::remote(file).wait()?)
}
