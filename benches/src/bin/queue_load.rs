//! Callers and workers of the platform benchmark, all over HTTP, in a closed loop. Prints one JSON object.
//!
//! `--mode jobs`: each caller submits a job, waits until a worker has answered it, and asks for its status: four requests a job.
//! `--mode runsync`: each caller waits for `/runsync`, which a worker inside the server answers.
//! `--mode start`: one job at a time for an idle worker; how long from the submit until the worker has the job.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use flash_benches::args::Args;
use flash_benches::latency::Latencies;
use flash_benches::process::Process;
use flash_benches::wire::{Connection, Error};
use serde::Deserialize;
use tokio::sync::oneshot;
use tokio::task::JoinSet;

/// Some 200 bytes, as a small job has them.
const INPUT: &str = r#"{"prompt":"a picture of a cat that reads a book about databases, in the style of an old engraving","steps":30,"seed":123456789,"guidance":7.5,"size":[512,512],"negative":"blurry"}"#;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let args = Args::of_process();
    let address: String = args.required("address")?;
    let mode: String = args.required("mode")?;
    let report = match mode.as_str() {
        "start" => start(&address, args.required("samples")?).await?,
        "runsync" | "jobs" => {
            let load = Load {
                callers: args.required("callers")?,
                workers: args.optional("workers")?.unwrap_or(0),
                warm_up: Duration::from_millis(args.required("warm-up-ms")?),
                window: Duration::from_millis(args.required("window-ms")?),
                server: Process::new(args.required("pid")?),
                address,
            };
            load.run(mode == "jobs").await?
        }
        other => return Err(format!("no mode `{other}`").into()),
    };
    print(&report);
    Ok(())
}

#[expect(clippy::print_stdout, reason = "the result of this program")]
fn print(report: &serde_json::Value) {
    println!("{report}");
}

struct Load {
    address: String,
    callers: usize,
    workers: usize,
    warm_up: Duration,
    window: Duration,
    server: Process,
}

/// Callers that wait for a worker's answer, and answers that came before their callers knew the job's id.
#[derive(Default)]
struct Ends(Mutex<HashMap<String, Option<oneshot::Sender<()>>>>);

impl Ends {
    fn wait(&self, id: String) -> Option<oneshot::Receiver<()>> {
        let mut ends = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if ends.remove(&id).is_some() {
            return None;
        }
        let (sender, receiver) = oneshot::channel();
        ends.insert(id, Some(sender));
        Some(receiver)
    }

    fn ended(&self, id: &str) {
        let mut ends = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match ends.remove(id).flatten() {
            Some(waiting) => drop(waiting.send(())),
            None => drop(ends.insert(id.to_owned(), None)),
        }
    }
}

#[derive(Deserialize)]
struct Known<'a> {
    #[serde(borrow)]
    id: &'a str,
}

fn id_of(body: &[u8]) -> Result<String, Error> {
    Ok(serde_json::from_slice::<Known<'_>>(body)?.id.to_owned())
}

fn request(address: &str, method: &str, path: &str, body: &str) -> Vec<u8> {
    let length = body.len();
    format!("{method} /v2/bench{path} HTTP/1.1\r\nhost: {address}\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\r\n{body}")
        .into_bytes()
}

impl Load {
    async fn run(self, with_workers: bool) -> Result<serde_json::Value, Error> {
        let ends = Arc::new(Ends::default());
        let from = Instant::now() + self.warm_up;
        let until = from + self.window;
        let mut background = JoinSet::new();
        if with_workers {
            for n in 0..self.workers {
                background.spawn(work(self.address.clone(), format!("w{n}"), ends.clone()));
            }
        }
        let mut callers = JoinSet::new();
        for _ in 0..self.callers {
            let (address, ends) = (self.address.clone(), ends.clone());
            callers.spawn(async move {
                if with_workers {
                    call(address, ends, from, until).await
                } else {
                    call_sync(address, from, until).await
                }
            });
        }
        tokio::time::sleep_until(from.into()).await;
        let (before, began) = (self.server.cpu_ns()?, Instant::now());
        tokio::time::sleep_until(until.into()).await;
        let (cpu, took) = (self.server.cpu_ns()? - before, began.elapsed());
        let mut all = Latencies::default();
        while let Some(caller) = callers.join_next().await {
            all.append(caller??);
        }
        while let Some(worker) = background.try_join_next() {
            worker??;
        }
        let jobs = all.len() as f64;
        Ok(serde_json::json!({
            "jobs_per_second": jobs / self.window.as_secs_f64(),
            "p50_us": all.percentile_us(0.5),
            "p99_us": all.percentile_us(0.99),
            "cpu_us": cpu as f64 * (self.window.as_secs_f64() / took.as_secs_f64()) / 1000.0 / jobs.max(1.0),
            "busy": cpu as f64 / took.as_nanos() as f64,
            "resident_mib": self.server.resident_mib()?,
        }))
    }
}

async fn call(address: String, ends: Arc<Ends>, from: Instant, until: Instant) -> Result<Latencies, Error> {
    let mut connection = Connection::open(&address).await?;
    let submit = request(&address, "POST", "/run", &format!(r#"{{"input":{INPUT}}}"#));
    let mut latencies = Latencies::default();
    loop {
        let began = Instant::now();
        if began >= until {
            return Ok(latencies);
        }
        let (status, body) = connection.exchange(&submit).await?;
        if status != 200 {
            return Err(format!("run: {status}").into());
        }
        let id = id_of(&connection.answer()[body..])?;
        if let Some(end) = ends.wait(id.clone()) {
            end.await?;
        }
        let (status, body) =
            connection.exchange(&request(&address, "GET", &format!("/status/{id}"), "")).await?;
        let answer = &connection.answer()[body..];
        if status != 200 || !answer.windows(11).any(|part| part == b"\"COMPLETED\"") {
            return Err(format!("status: {status} {}", String::from_utf8_lossy(answer)).into());
        }
        let now = Instant::now();
        if (from..until).contains(&now) {
            latencies.record(now - began);
        }
    }
}

async fn call_sync(address: String, from: Instant, until: Instant) -> Result<Latencies, Error> {
    let mut connection = Connection::open(&address).await?;
    let ask = request(&address, "POST", "/runsync", &format!(r#"{{"input":{INPUT}}}"#));
    let mut latencies = Latencies::default();
    loop {
        let began = Instant::now();
        if began >= until {
            return Ok(latencies);
        }
        let (status, body) = connection.exchange(&ask).await?;
        let answer = &connection.answer()[body..];
        if status != 200 || !answer.windows(11).any(|part| part == b"\"COMPLETED\"") {
            return Err(format!("runsync: {status} {}", String::from_utf8_lossy(answer)).into());
        }
        let now = Instant::now();
        if (from..until).contains(&now) {
            latencies.record(now - began);
        }
    }
}

async fn work(address: String, worker: String, ends: Arc<Ends>) -> Result<(), Error> {
    let mut connection = Connection::open(&address).await?;
    let take = request(&address, "GET", &format!("/job-take/{worker}?job_in_progress=0"), "");
    let output = format!(r#"{{"output":{INPUT}}}"#);
    loop {
        let (status, body) = connection.exchange(&take).await?;
        if status == 204 {
            continue;
        }
        if status != 200 {
            return Err(format!("job-take: {status}").into());
        }
        let id = id_of(&connection.answer()[body..])?;
        let done = request(&address, "POST", &format!("/job-done/{worker}/{id}?isStream=false"), &output);
        let (status, _) = connection.exchange(&done).await?;
        if status != 200 {
            return Err(format!("job-done: {status}").into());
        }
        ends.ended(&id);
    }
}

/// An idle worker that waits, and a caller that submits one job after the other.
async fn start(address: &str, samples: usize) -> Result<serde_json::Value, Error> {
    let (mut caller, mut worker) = (Connection::open(address).await?, Connection::open(address).await?);
    let submit = request(address, "POST", "/run", &format!(r#"{{"input":{INPUT}}}"#));
    let mut latencies = Latencies::default();
    for _ in 0..samples {
        let take = request(address, "GET", "/job-take/idle?job_in_progress=0", "");
        let taking = tokio::spawn(async move {
            let (status, body) = worker.exchange(&take).await?;
            let taken = Instant::now();
            let id = if status == 200 { id_of(&worker.answer()[body..])? } else { String::new() };
            Ok::<_, Error>((worker, taken, status, id))
        });
        // Long enough for the take to be held, so that the worker is idle.
        tokio::time::sleep(Duration::from_millis(5)).await;
        let submitted = Instant::now();
        caller.exchange(&submit).await?;
        let (status, id);
        let taken;
        (worker, taken, status, id) = taking.await??;
        if status != 200 {
            return Err(format!("job-take: {status}").into());
        }
        latencies.record(taken - submitted);
        let done =
            request(address, "POST", &format!("/job-done/idle/{id}?isStream=false"), r#"{"output":1}"#);
        worker.exchange(&done).await?;
    }
    let (p50, p99) = (latencies.percentile_us(0.5), latencies.percentile_us(0.99));
    Ok(serde_json::json!({ "start_p50_us": p50, "start_p99_us": p99 }))
}
