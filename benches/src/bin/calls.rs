//! The calling side of a call from endpoint to endpoint, with the generated client or with bare reqwest that does the same: POST
//! of a JSON object, JSON back, as the same type.
//!
//! Every caller sends its next call when the last one is answered. Prints one JSON object.

use std::time::{Duration, Instant};

use flash::prelude::*;
use flash_benches::args::Args;
use flash_benches::client;
use flash_benches::echo::Echo;
use flash_benches::latency::Latencies;
use flash_benches::process::Process;

type Failure = Box<dyn std::error::Error + Send + Sync>;

/// The same endpoint and function as in `flash_app`, which is the callee. `FLASH_RESOURCES_ENDPOINTS` says where it is.
static HTTP: Endpoint = Endpoint::http("http").cpu(&["cpu3c-1-2"]);

#[remote(resource = HTTP, method = "POST", path = "/echo")]
async fn echo(a: u32, b: String) -> Result<Echo, flash::Error> {
    Ok(Echo { a, b })
}

/// A way to call.
#[derive(Clone)]
enum Way {
    /// The client that `#[remote]` generates.
    Flash,
    /// What somebody writes who has none.
    Bare { client: reqwest::Client, url: String },
}

impl Way {
    fn of(name: &str, url: &str) -> Result<Self, Failure> {
        match name {
            "flash" => Ok(Self::Flash),
            "reqwest" => Ok(Self::Bare { client: client::bare()?, url: format!("{url}/echo") }),
            other => Err(format!("no way `{other}`").into()),
        }
    }

    async fn call(&self, a: u32) -> Result<Echo, Failure> {
        let b = "text".to_owned();
        match self {
            Self::Flash => Ok(echo::remote(a, b).await?),
            Self::Bare { client, url } => {
                let body = serde_json::to_vec(&Echo { a, b })?;
                let request = client.post(url).header("content-type", "application/json").body(body);
                let answer = request.send().await?.error_for_status()?.bytes().await?;
                Ok(serde_json::from_slice(&answer)?)
            }
        }
    }
}

async fn caller(way: Way, from: Instant, until: Instant) -> Result<Latencies, Failure> {
    let mut latencies = Latencies::default();
    for a in 0.. {
        let sent = Instant::now();
        if sent >= until {
            break;
        }
        let answer = way.call(a).await?;
        let now = Instant::now();
        if answer.a != a {
            return Err(format!("asked for {a}, got {answer:?}").into());
        }
        // A call belongs to the window when its answer arrived in it.
        if (from..until).contains(&now) {
            latencies.record(now - sent);
        }
    }
    Ok(latencies)
}

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let args = Args::of_process();
    let way = Way::of(&args.required::<String>("way")?, &args.required::<String>("url")?)?;
    let callers: usize = args.required("callers")?;
    let warm_up = Duration::from_millis(args.required("warm-up-ms")?);
    let window = Duration::from_millis(args.required("window-ms")?);
    let me = Process::new(std::process::id());

    let from = Instant::now() + warm_up;
    let until = from + window;
    let mut running = tokio::task::JoinSet::new();
    for _ in 0..callers {
        running.spawn(caller(way.clone(), from, until));
    }
    tokio::time::sleep_until(from.into()).await;
    let (before, began) = (me.cpu_ns()?, Instant::now());
    tokio::time::sleep_until(until.into()).await;
    let (used, took) = (me.cpu_ns()? - before, began.elapsed());
    let mut all = Latencies::default();
    while let Some(latencies) = running.join_next().await {
        all.append(latencies??);
    }
    report(&mut all, window, took, used);
    Ok(())
}

#[expect(clippy::print_stdout, reason = "the result of this program")]
fn report(all: &mut Latencies, window: Duration, took: Duration, cpu_ns: u64) {
    let calls = all.len() as f64;
    // The CPU was read over `took`, which a busy machine makes a little longer than the window.
    let in_window = cpu_ns as f64 * (window.as_secs_f64() / took.as_secs_f64());
    let report = serde_json::json!({
        "calls_per_second": calls / window.as_secs_f64(),
        "cpu_us": in_window / 1000.0 / calls.max(1.0),
        "p50_us": all.percentile_us(0.5),
        "p99_us": all.percentile_us(0.99),
        "busy": cpu_ns as f64 / took.as_nanos() as f64,
    });
    println!("{report}");
}
