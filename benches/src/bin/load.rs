//! A closed-loop HTTP load generator: every connection sends its next request when the last one is answered.
//!
//! It writes the same bytes again and again and reads just enough of each answer, so that one core of it saturates one core of
//! a fast server. Prints one JSON object.

use std::time::{Duration, Instant};

use flash_benches::args::Args;
use flash_benches::latency::Latencies;
use flash_benches::process::Process;
use flash_benches::wire::Connection;

type Error = Box<dyn std::error::Error + Send + Sync>;

/// How one connection fared within the window.
#[derive(Default)]
struct Tally {
    latencies: Latencies,
    errors: u64,
}

async fn run(mut connection: Connection, request: Vec<u8>, from: Instant, until: Instant) -> Tally {
    let mut tally = Tally::default();
    loop {
        let sent = Instant::now();
        if sent >= until {
            return tally;
        }
        let answer = connection.exchange(&request).await;
        let now = Instant::now();
        // A request belongs to the window when its answer arrived in it.
        let counts = (from..until).contains(&now);
        match answer {
            Ok((200, _)) if counts => tally.latencies.record(now - sent),
            Ok((200, _)) => {}
            Ok(_) => tally.errors += 1,
            Err(_) => {
                tally.errors += 1;
                return tally;
            }
        }
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let args = Args::of_process();
    let address: String = args.required("address")?;
    let path: String = args.required("path")?;
    // From a file, because an argument has no room for ten megabytes.
    let body = std::fs::read_to_string(args.required::<String>("body-file")?)?;
    let connections: usize = args.required("connections")?;
    let warm_up = Duration::from_millis(args.required("warm-up-ms")?);
    let window = Duration::from_millis(args.required("window-ms")?);
    let server = Process::new(args.required("pid")?);

    let request = format!(
        "POST {path} HTTP/1.1\r\nhost: {address}\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    );
    let request = request.into_bytes();
    let idle_mib = server.resident_mib()?;
    let mut open = Vec::new();
    for _ in 0..connections {
        open.push(Connection::open(&address).await?);
    }
    // An echo that does not echo would be a fast one.
    let (status, start) = open[0].exchange(&request).await?;
    let answer = &open[0].answer()[start..];
    if status != 200
        || serde_json::from_slice::<serde_json::Value>(answer)?
            != serde_json::from_str::<serde_json::Value>(&body)?
    {
        return Err(format!("not an echo: status {status}, {}", String::from_utf8_lossy(answer)).into());
    }

    let from = Instant::now() + warm_up;
    let until = from + window;
    let mut running = tokio::task::JoinSet::new();
    for connection in open {
        running.spawn(run(connection, request.clone(), from, until));
    }
    tokio::time::sleep_until(from.into()).await;
    let (before, began) = (server.cpu_ns()?, Instant::now());
    tokio::time::sleep_until(until.into()).await;
    let (after, took) = (server.cpu_ns()?, began.elapsed());
    let (loaded_mib, peak_mib) = (server.resident_mib()?, server.peak_mib()?);
    let mut all = Tally::default();
    while let Some(tally) = running.join_next().await {
        let tally = tally?;
        all.latencies.append(tally.latencies);
        all.errors += tally.errors;
    }
    report(&mut all, window, took, after - before, [idle_mib, loaded_mib, peak_mib]);
    Ok(())
}

#[expect(clippy::print_stdout, reason = "the result of this program")]
fn report(all: &mut Tally, window: Duration, took: Duration, cpu_ns: u64, memory: [f64; 3]) {
    let [idle_mib, loaded_mib, peak_mib] = memory;
    let requests = all.latencies.len() as f64;
    // The CPU was read over `took`, which a busy machine makes a little longer than the window.
    let in_window = cpu_ns as f64 * (window.as_secs_f64() / took.as_secs_f64());
    let report = serde_json::json!({
        "requests_per_second": requests / window.as_secs_f64(),
        "p50_us": all.latencies.percentile_us(0.5),
        "p99_us": all.latencies.percentile_us(0.99),
        "errors": all.errors,
        "cpu_us": in_window / 1000.0 / requests.max(1.0),
        "busy": cpu_ns as f64 / took.as_nanos() as f64,
        "idle_mib": idle_mib,
        "loaded_mib": loaded_mib,
        "peak_mib": peak_mib,
    });
    println!("{report}");
}
