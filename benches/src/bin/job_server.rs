//! The platform's side of the queue and fault benchmarks: hands out no-op jobs as fast as it can, or one at a time to an idle worker,
//! and tells which job is to stop.
//!
//! It speaks the worker protocol (job-take, job-take-batch, job-done, ping, job-stop) on one thread, and answers the questions
//! of `cargo xtask bench queue` and `faults` under `/control`.

use std::cell::RefCell;
use std::collections::{HashSet, VecDeque};
use std::convert::Infallible;
use std::rc::Rc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use flash_benches::args::Args;
use flash_benches::clock::unix_ns;
use flash_benches::echo::{Echo, Started};
use flash_benches::latency::Latencies;
use flash_benches::process::Process;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::{Notify, oneshot};
use tokio::time::{sleep, timeout};

type Error = Box<dyn std::error::Error + Send + Sync>;
type Answer = Response<Full<Bytes>>;

/// How long a request without news is held, as a long poll is by the platform.
const HOLD: Duration = Duration::from_secs(20);

/// What every job's function gets.
const INPUT: &str = r#"{"a":1,"b":"text"}"#;

#[derive(Default)]
struct Jobs {
    /// Whether there is always another job.
    saturated: bool,
    next: u64,
    running: HashSet<u64>,
    most_running: usize,
    done: u64,
    /// Results that are no output, or of jobs that are not running.
    wrong: u64,
    first_take_ns: Option<u64>,
    /// Takes that wait for a job.
    idle: VecDeque<oneshot::Sender<u64>>,
    /// The one job whose result somebody waits for.
    awaited: Option<(u64, oneshot::Sender<Bytes>)>,
}

impl Jobs {
    fn start(&mut self) -> u64 {
        let id = self.next;
        self.next += 1;
        self.running.insert(id);
        self.most_running = self.most_running.max(self.running.len());
        id
    }

    fn finish(&mut self, id: &str, body: Bytes) {
        let known = id.parse().is_ok_and(|id| self.running.remove(&id));
        if !known || !body.starts_with(br#"{"output":"#) {
            self.wrong += 1;
        }
        self.done += 1;
        if let Some((_, waiting)) = self.awaited.take_if(|(awaited, _)| id.parse() == Ok(*awaited)) {
            let _ = waiting.send(body);
        }
    }
}

#[derive(Default)]
struct Platform {
    jobs: RefCell<Jobs>,
    /// Told whenever a take begins to wait.
    arrival: Notify,
    /// The held poll of the stop channel.
    stop_poll: RefCell<Option<oneshot::Sender<u64>>>,
    /// Told whenever that poll begins to wait.
    stop_arrival: Notify,
}

impl Platform {
    async fn answer(&self, request: Request<Incoming>) -> Result<Answer, Error> {
        let (head, body) = request.into_parts();
        let query = Query(head.uri.query().unwrap_or_default());
        let path: Vec<&str> = head.uri.path().split('/').skip(1).collect();
        match path[..] {
            ["v2", _, "job-take", _] => {
                Ok(self.take(1).await.map_or_else(nothing, |ids| json_text(job(ids[0]))))
            }
            ["v2", _, "job-take-batch", _] => {
                let size = query.number("batch_size")?.max(1);
                Ok(self.take(usize::try_from(size)?).await.map_or_else(nothing, |ids| json_text(batch(&ids))))
            }
            ["v2", _, "job-done", _, id] => {
                let body = body.collect().await?.to_bytes();
                self.jobs.borrow_mut().finish(id, body);
                Ok(json_text("{}".to_owned()))
            }
            ["v2", _, "ping", _] => Ok(json_text("{}".to_owned())),
            ["v2", _, "job-stop", _] => Ok(self.stop_channel().await.map_or_else(nothing, json_text)),
            ["control", "ready"] => Ok(json_text("{}".to_owned())),
            ["control", "first-take"] => {
                let first = self.jobs.borrow().first_take_ns;
                Ok(json_text(json!({ "unix_ns": first }).to_string()))
            }
            ["control", "window"] => {
                let process = Process::new(u32::try_from(query.number("pid")?)?);
                self.window(Duration::from_millis(query.number("ms")?), process).await
            }
            ["control", "give"] => self.give(query.number("jobs")?).await,
            ["control", "stop"] => self.stop(query.number("job")?).await,
            ["control", "jobs"] => {
                let jobs = self.jobs.borrow();
                let held = jobs.idle.iter().any(|take| !take.is_closed());
                let running: Vec<&u64> = jobs.running.iter().collect();
                let figures =
                    json!({ "done": jobs.done, "wrong": jobs.wrong, "running": running, "take_held": held });
                Ok(json_text(figures.to_string()))
            }
            ["control", "latency"] => self.latency(query.number("samples")?).await,
            _ => Ok(empty(StatusCode::NOT_FOUND)),
        }
    }

    /// Jobs for a worker that has `size` free slots, or `None` when there was none for a while.
    async fn take(&self, size: usize) -> Option<Vec<u64>> {
        let waiting = {
            let mut jobs = self.jobs.borrow_mut();
            jobs.first_take_ns.get_or_insert_with(unix_ns);
            if jobs.saturated {
                return Some((0..size).map(|_| jobs.start()).collect());
            }
            let (send, receive) = oneshot::channel();
            jobs.idle.push_back(send);
            receive
        };
        self.arrival.notify_one();
        timeout(HOLD, waiting).await.ok()?.ok().map(|id| vec![id])
    }

    /// Holds a poll of the stop channel until a job is to stop. Returns the answer, or `None` when there was none for a while.
    async fn stop_channel(&self) -> Option<String> {
        let (send, receive) = oneshot::channel();
        self.stop_poll.replace(Some(send));
        self.stop_arrival.notify_one();
        let id = timeout(HOLD, receive).await.ok()?.ok()?;
        Some(json!({ "jobsToStop": [id.to_string()] }).to_string())
    }

    /// Gives a worker this many jobs, one for each take, and tells which they are.
    async fn give(&self, jobs: u64) -> Result<Answer, Error> {
        let mut ids = Vec::new();
        while (ids.len() as u64) < jobs {
            let waiting = self.jobs.borrow_mut().idle.pop_front();
            let Some(waiting) = waiting else {
                self.arrival.notified().await;
                continue;
            };
            let id = self.jobs.borrow_mut().start();
            if waiting.send(id).is_ok() {
                ids.push(id);
            } else {
                // The worker has given up this take.
                self.jobs.borrow_mut().running.remove(&id);
            }
        }
        Ok(json_text(json!({ "ids": ids }).to_string()))
    }

    /// Names a job in the stop channel, and tells when it did.
    async fn stop(&self, id: u64) -> Result<Answer, Error> {
        loop {
            let poll = self.stop_poll.take();
            let sent_ns = unix_ns();
            if poll.is_some_and(|poll| poll.send(id).is_ok()) {
                return Ok(json_text(json!({ "sent_unix_ns": sent_ns }).to_string()));
            }
            self.stop_arrival.notified().await;
        }
    }

    /// Counts the results that arrive within a time, and the CPU that the worker uses for them.
    async fn window(&self, length: Duration, worker: Process) -> Result<Answer, Error> {
        let (done, wrong) = self.counts();
        let this = Process::new(std::process::id());
        let (cpu, own_cpu, began) = (worker.cpu_ns()?, this.cpu_ns()?, Instant::now());
        sleep(length).await;
        let (now_done, now_wrong) = self.counts();
        let (now_cpu, now_own_cpu, took) = (worker.cpu_ns()?, this.cpu_ns()?, began.elapsed());
        let jobs = (now_done - done) as f64;
        Ok(json_text(
            json!({
                "jobs": jobs,
                "wrong": now_wrong - wrong,
                "jobs_per_second": jobs / took.as_secs_f64(),
                "cpu_us": (now_cpu - cpu) as f64 / 1000.0 / jobs.max(1.0),
                "busy": (now_cpu - cpu) as f64 / took.as_nanos() as f64,
                "server_busy": (now_own_cpu - own_cpu) as f64 / took.as_nanos() as f64,
                "resident_mib": worker.resident_mib()?,
                "most_running": self.jobs.borrow().most_running,
            })
            .to_string(),
        ))
    }

    fn counts(&self) -> (u64, u64) {
        let jobs = self.jobs.borrow();
        (jobs.done, jobs.wrong)
    }

    /// Gives an idle worker one job at a time and looks when its function began and when its result arrived.
    async fn latency(&self, samples: u64) -> Result<Answer, Error> {
        let (mut start, mut result) = (Latencies::default(), Latencies::default());
        for sample in 0..samples {
            while self.jobs.borrow().idle.is_empty() {
                self.arrival.notified().await;
            }
            // Long enough for the worker to fall asleep, and of no rhythm.
            sleep(Duration::from_micros(1_500 + sample * 7_919 % 1_000)).await;
            let (sent, received) = oneshot::channel();
            let enqueued_ns = unix_ns();
            {
                let mut jobs = self.jobs.borrow_mut();
                let Some(waiting) = jobs.idle.pop_front() else { continue };
                let id = jobs.start();
                if waiting.send(id).is_err() {
                    // The worker has given up this take.
                    jobs.running.remove(&id);
                    continue;
                }
                jobs.awaited = Some((id, sent));
            }
            let body = timeout(HOLD, received).await??;
            result.record(Duration::from_nanos(unix_ns().saturating_sub(enqueued_ns)));
            let done: Done = serde_json::from_slice(&body)?;
            start.record(Duration::from_nanos(done.output.started_ns.saturating_sub(enqueued_ns)));
        }
        let figures = json!({
            "samples": start.len(),
            "start_p50_us": start.percentile_us(0.5),
            "start_p99_us": start.percentile_us(0.99),
            "result_p50_us": result.percentile_us(0.5),
        });
        Ok(json_text(figures.to_string()))
    }
}

#[derive(Deserialize)]
struct Done {
    output: Started,
}

/// A query string whose values are plain numbers.
struct Query<'a>(&'a str);

impl Query<'_> {
    fn number(&self, name: &str) -> Result<u64, Error> {
        let mut pairs = self.0.split('&').filter_map(|pair| pair.split_once('='));
        let (_, value) = pairs.find(|(key, _)| *key == name).ok_or_else(|| format!("{name} is missing"))?;
        Ok(value.parse()?)
    }
}

fn job(id: u64) -> String {
    format!(r#"{{"delayTime":0,"id":"{id}","input":{INPUT}}}"#)
}

fn batch(ids: &[u64]) -> String {
    let jobs: Vec<String> = ids.iter().map(|id| job(*id)).collect();
    format!("[{}]", jobs.join(","))
}

fn json_text(text: String) -> Answer {
    let mut answer = Response::new(Full::from(text));
    answer.headers_mut().insert("content-type", hyper::header::HeaderValue::from_static("application/json"));
    answer
}

fn nothing() -> Answer {
    empty(StatusCode::NO_CONTENT)
}

fn empty(status: StatusCode) -> Answer {
    let mut answer = Response::new(Full::default());
    *answer.status_mut() = status;
    answer
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let args = Args::of_process();
    let port: u16 = args.required("port")?;
    serde_json::from_str::<Echo>(INPUT)?;
    let platform = Rc::new(Platform::default());
    platform.jobs.borrow_mut().saturated = args.required("saturated")?;
    let listener = TcpListener::bind(("127.0.0.1", port)).await?;
    tokio::task::LocalSet::new().run_until(serve(platform, listener)).await
}

async fn serve(platform: Rc<Platform>, listener: TcpListener) -> Result<(), Error> {
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        let platform = Rc::clone(&platform);
        tokio::task::spawn_local(async move {
            let service = service_fn(|request| {
                let platform = Rc::clone(&platform);
                async move {
                    Ok::<_, Infallible>(
                        platform.answer(request).await.unwrap_or_else(|error| refused(&error)),
                    )
                }
            });
            // A worker that goes away in the middle of a request is its own business.
            let _ = hyper::server::conn::http1::Builder::new()
                .serve_connection(TokioIo::new(stream), service)
                .await;
        });
    }
}

fn refused(error: &Error) -> Answer {
    let mut answer = json_text(Value::from(error.to_string()).to_string());
    *answer.status_mut() = StatusCode::BAD_REQUEST;
    answer
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn jobs_are_counted_once() {
        let mut jobs = Jobs::default();
        let id = jobs.start().to_string();
        jobs.finish(&id, Bytes::from_static(br#"{"output":1}"#));
        assert_eq!((jobs.done, jobs.wrong, jobs.running.len()), (1, 0, 0));
        jobs.finish(&id, Bytes::from_static(br#"{"output":1}"#));
        assert_eq!(jobs.wrong, 1, "the same job twice");
        let id = jobs.start().to_string();
        jobs.finish(&id, Bytes::from_static(br#"{"error":"x"}"#));
        assert_eq!(jobs.wrong, 2, "an error is no output");
    }

    #[test]
    fn jobs_are_what_a_worker_reads() {
        let jobs: Vec<Value> = serde_json::from_str(&batch(&[3, 4])).expect("valid JSON");
        assert_eq!(jobs[1]["id"], "4");
        assert!(serde_json::from_value::<Echo>(jobs[0]["input"].clone()).is_ok());
    }

    #[tokio::test]
    async fn a_stop_reaches_the_poll_that_is_held() {
        let platform = Platform::default();
        // A poll that was given up, before the one that is held.
        drop(timeout(Duration::ZERO, platform.stop_channel()).await);
        let (answer, stopped) = tokio::join!(platform.stop_channel(), platform.stop(7));
        assert_eq!(answer.as_deref(), Some(r#"{"jobsToStop":["7"]}"#));
        assert_eq!(stopped.unwrap().status(), StatusCode::OK);
    }

    #[test]
    fn queries_are_numbers_by_name() {
        let query = Query("gpu=none&batch_size=16&job_in_progress=0");
        assert_eq!(query.number("batch_size").expect("a number"), 16);
        assert!(query.number("gpu").is_err());
        assert!(query.number("absent").is_err());
    }
}
