//! A program with a stateful worker behind a queue, and one behind routes.

#![allow(clippy::print_stderr, reason = "the test reads what a worker says")]

use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

use flash::prelude::*;

static TALLY: Endpoint = Endpoint::queue("tally").cpu(&["cpu3c-1-2"]);
static SCORES: Endpoint = Endpoint::http("scores").cpu(&["cpu3c-1-2"]);

struct Tally(AtomicU32);

#[remote(resource = TALLY)]
impl Tally {
    #[remote(init)]
    async fn new(#[remote(default = 100)] start: u32) -> Result<Self, String> {
        if start == 13 {
            return Err("13 brings bad luck".to_owned());
        }
        eprintln!("tally begins at {start}");
        Ok(Self(AtomicU32::new(start)))
    }

    #[remote]
    async fn add(&self, by: u32) -> Result<u32, flash::Error> {
        Ok(self.0.fetch_add(by, Relaxed) + by)
    }

    #[remote]
    fn total(&self) -> Result<u32, flash::Error> {
        Ok(self.0.load(Relaxed))
    }

    #[remote(exit)]
    fn close(&self) {
        eprintln!("tally ends at {}", self.0.load(Relaxed));
    }
}

struct Scores;

#[remote(resource = SCORES)]
impl Scores {
    #[remote(init)]
    async fn new(table: Option<String>) -> Result<Self, String> {
        Err(format!("no table {table:?}"))
    }

    #[remote(method = "GET", path = "/scores")]
    async fn best(&self) -> Result<u32, flash::Error> {
        Ok(Tally::remote(0).total().await?)
    }
}

fn main() -> std::process::ExitCode {
    flash::run()
}
