//! Our side of the benchmarks: the same echo behind queues of several widths and behind HTTP.

use std::process::ExitCode;

use flash::prelude::*;
use flash_benches::clock::unix_ns;
use flash_benches::echo::{Echo, Floats, Started, Text};

static QUEUE_1: Endpoint = Endpoint::queue("queue-1").cpu(&["cpu3c-1-2"]).concurrency(1);
static QUEUE_16: Endpoint = Endpoint::queue("queue-16").cpu(&["cpu3c-1-2"]).concurrency(16);
static QUEUE_64: Endpoint = Endpoint::queue("queue-64").cpu(&["cpu3c-1-2"]).concurrency(64);
static QUEUE_CLOCK: Endpoint = Endpoint::queue("queue-clock").cpu(&["cpu3c-1-2"]).concurrency(1);
static HTTP: Endpoint = Endpoint::http("http").cpu(&["cpu3c-1-2"]);

#[remote(resource = QUEUE_1)]
async fn echo_1(a: u32, b: String) -> Result<Echo, flash::Error> {
    Ok(Echo { a, b })
}

#[remote(resource = QUEUE_16)]
async fn echo_16(a: u32, b: String) -> Result<Echo, flash::Error> {
    Ok(Echo { a, b })
}

#[remote(resource = QUEUE_64)]
async fn echo_64(a: u32, b: String) -> Result<Echo, flash::Error> {
    Ok(Echo { a, b })
}

/// Tells when it began, so that the job server can tell how long the job was on its way.
#[remote(resource = QUEUE_CLOCK)]
async fn started(
    #[remote(rename = "a")] _a: u32,
    #[remote(rename = "b")] _b: String,
) -> Result<Started, flash::Error> {
    Ok(Started { started_ns: unix_ns() })
}

#[remote(resource = HTTP, method = "POST", path = "/echo")]
async fn echo(a: u32, b: String) -> Result<Echo, flash::Error> {
    Ok(Echo { a, b })
}

#[remote(resource = HTTP, method = "POST", path = "/text")]
async fn text(text: String) -> Result<Text, flash::Error> {
    Ok(Text { text })
}

#[remote(resource = HTTP, method = "POST", path = "/floats")]
async fn floats(values: Vec<f64>) -> Result<Floats, flash::Error> {
    Ok(Floats { values })
}

fn main() -> ExitCode {
    flash::run()
}
