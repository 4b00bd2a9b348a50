//! Our side of the benchmarks: the same echo behind queues of several widths and behind HTTP, and work that waits to be dropped.

use std::pin::Pin;
use std::process::ExitCode;
use std::task::{Context as Polled, Poll};

use flash::Stream;
use flash::prelude::*;
use flash_benches::clock::unix_ns;
use flash_benches::echo::{Echo, Floats, Started, Text};
use flash_benches::guard::Guard;

static QUEUE_1: Endpoint = Endpoint::queue("queue-1").cpu(&["cpu3c-1-2"]).concurrency(1);
static QUEUE_16: Endpoint = Endpoint::queue("queue-16").cpu(&["cpu3c-1-2"]).concurrency(16);
static QUEUE_64: Endpoint = Endpoint::queue("queue-64").cpu(&["cpu3c-1-2"]).concurrency(64);
static QUEUE_CLOCK: Endpoint = Endpoint::queue("queue-clock").cpu(&["cpu3c-1-2"]).concurrency(1);
static QUEUE_HELD: Endpoint = Endpoint::queue("queue-held").cpu(&["cpu3c-1-2"]).concurrency(8);
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

/// Runs until it is released, or stopped.
#[remote(resource = QUEUE_HELD)]
async fn held(context: Context, a: u32, b: String) -> Result<Echo, flash::Error> {
    let mut guard = Guard::begin(context.id()).await.map_err(flash::Error::internal)?;
    guard.released().await.map_err(flash::Error::internal)?;
    Ok(Echo { a, b })
}

/// Says one thing and then nothing for ever.
#[remote(resource = HTTP, method = "GET", path = "/silent/{name}")]
async fn silent(name: String) -> Result<Stream<u32, flash::Error>, flash::Error> {
    let guard = Guard::begin(&name).await.map_err(flash::Error::internal)?;
    Ok(Stream::new(Silent { first: Some(1), _guard: guard }))
}

/// A producer that is silent after its first item.
struct Silent {
    first: Option<u32>,
    _guard: Guard,
}

impl futures_core::Stream for Silent {
    type Item = Result<u32, flash::Error>;

    fn poll_next(mut self: Pin<&mut Self>, _: &mut Polled<'_>) -> Poll<Option<Self::Item>> {
        self.first.take().map_or(Poll::Pending, |item| Poll::Ready(Some(Ok(item))))
    }
}

fn main() -> ExitCode {
    flash::run()
}
