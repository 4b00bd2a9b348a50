//! Functions that a worker has to survive.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::Duration;

use flash::prelude::*;
use serde_json::{Value, json};
use tokio::sync::Barrier;

use crate::CheckError;

/// A queue for faults.
pub static FAULTS: Endpoint = Endpoint::queue("faults").cpu(&["cpu3c-1-2"]).concurrency(8);
/// A queue that runs many jobs at once.
pub static WIDE: Endpoint = Endpoint::queue("wide").cpu(&["cpu3c-1-2"]).concurrency(100);
/// A queue that gives its jobs a minute.
pub static HASTY: Endpoint =
    Endpoint::queue("hasty").cpu(&["cpu3c-1-2"]).concurrency(2).execution_timeout_secs(60);

/// What functions have counted, by the name that a test gave to it, because tests may share a process.
static TALLIES: Mutex<BTreeMap<String, u32>> = Mutex::new(BTreeMap::new());

/// How many items [`count()`] has made, or how often [`once()`] ran.
pub fn tally(name: &str) -> u32 {
    TALLIES.lock().unwrap_or_else(PoisonError::into_inner).get(name).copied().unwrap_or_default()
}

fn add_to(name: &str) -> u32 {
    let mut tallies = TALLIES.lock().unwrap_or_else(PoisonError::into_inner);
    let count = tallies.entry(name.to_owned()).or_default();
    *count += 1;
    *count
}

/// Lets [`hog()`] go.
pub static RELEASED: AtomicBool = AtomicBool::new(false);

/// Counts, item by item, each padded to `bytes`. Fails at `fail_at`, panics at `panic_at`.
#[remote(resource = FAULTS)]
pub async fn count(
    to: u32,
    #[remote(default)] bytes: usize,
    fail_at: Option<u32>,
    panic_at: Option<u32>,
    #[remote(default)] tally: String,
) -> Result<flash::Stream<String, CheckError>, CheckError> {
    Ok(flash::Stream::iter((0..to).map(move |n| {
        add_to(&tally);
        assert_ne!(Some(n), panic_at, "told to");
        if Some(n) == fail_at {
            return Err(CheckError::TooLong { length: n as usize, limit: 0 });
        }
        Ok("0".repeat(bytes.saturating_sub(1)) + &n.to_string())
    })))
}

/// Never gives an item.
#[remote(resource = FAULTS)]
pub async fn silent() -> Result<flash::Stream<u32, flash::Error>, flash::Error> {
    let (sender, stream) = flash::Stream::channel(1);
    flash::spawn(async move {
        // Holds the sender until nobody reads any more.
        sender.closed().await;
    });
    Ok(stream)
}

/// Counts its runs.
#[remote(resource = FAULTS)]
pub async fn once(#[remote(default)] tally: String) -> Result<u32, flash::Error> {
    Ok(add_to(&tally))
}

/// Gives back what it gets.
#[remote(resource = FAULTS)]
pub async fn same(value: Value) -> Result<Value, flash::Error> {
    Ok(value)
}

/// What a function may know of its job.
#[remote(resource = FAULTS)]
pub async fn look(context: Context) -> Result<Value, flash::Error> {
    Ok(json!({
        "id": context.id(),
        "attempt": context.attempt(),
        "deadline": context.deadline().map(flash::Timestamp::as_millis),
    }))
}

/// Takes its time, and tells which try it is.
#[remote(resource = FAULTS)]
pub async fn slow_attempt(millis: u64, context: Context) -> Result<u32, flash::Error> {
    tokio::time::sleep(Duration::from_millis(millis)).await;
    Ok(context.attempt())
}

/// Reports as often as it is told, with pauses that `seed` chooses, and then its result.
#[remote(resource = FAULTS)]
pub async fn report_irregularly(reports: u32, seed: u64, context: Context) -> Result<String, flash::Error> {
    let mut random = seed;
    for report in 0..reports {
        context.progress(&report)?;
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        for _ in 0..random >> 60 {
            tokio::task::yield_now().await;
        }
    }
    Ok("done".to_owned())
}

/// Goes through the runtime so many times.
#[remote(resource = FAULTS)]
pub async fn hop(times: u32) -> Result<u32, flash::Error> {
    for _ in 0..times {
        tokio::task::yield_now().await;
    }
    Ok(times)
}

/// Takes a thread of the runtime, as no async function should, until [`RELEASED`] is set.
#[remote(resource = FAULTS)]
pub async fn hog() -> Result<(), flash::Error> {
    while !RELEASED.load(Ordering::SeqCst) {
        std::thread::sleep(Duration::from_millis(1));
    }
    Ok(())
}

/// Waits for all others, and panics when it is told to.
#[remote(resource = WIDE)]
pub async fn meet(panics: bool) -> Result<bool, flash::Error> {
    static ALL: OnceLock<Barrier> = OnceLock::new();
    ALL.get_or_init(|| Barrier::new(100)).wait().await;
    assert!(!panics, "told to");
    Ok(true)
}

/// Never ends by itself.
#[remote(resource = HASTY)]
pub async fn linger() -> Result<(), flash::Error> {
    std::future::pending().await
}
