//! The time limits of what goes wrong, with real processes: a job that is stopped, a caller that goes away, a worker that has nothing
//! to do, and a worker that is told to end.
//!
//! There is no peer: each figure stands beside the limit that it has to keep.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, TcpStream};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::Value;

use super::guards::{Guards, Told};
use super::machine::Cores;
use super::programs::Programs;
use super::report::Report;
use super::server::Server;
use super::spread::Spread;
use super::{Options, probe};
use crate::Result;

/// Jobs that run at the same time; one of them is stopped.
const JOBS: usize = 8;
/// Callers that go away from one process, one after the other.
const CALLERS: usize = 8;
/// Longer than any question to the job server takes to be answered.
const ANSWER_LIMIT: Duration = Duration::from_secs(60);
/// How long an idle worker is watched. The job server holds a poll longer than that.
const IDLE_MS: u64 = 10_000;

/// What is measured, with the most that it may be.
struct Figure {
    key: &'static str,
    about: &'static str,
    limit: Option<f64>,
    values: Vec<f64>,
}

/// Runs the benchmark.
///
/// # Errors
/// When a program cannot be started, when a job was stopped that nobody named, when a result was posted for the one that was, or when
/// one of the others had no result.
pub(crate) fn run(options: &Options, programs: &Programs) -> Result<Report> {
    if options.against_itself {
        return Err("`faults` measures against limits, so it has no peer to run on both sides".into());
    }
    let bench = Bench { programs, cores: Cores::choose() };
    let rounds = options.rounds(20, 3);
    let (mut stopped, mut gone, mut idle, mut ended) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for round in 0..rounds {
        eprint!("\rfaults: round {} of {rounds} ", round + 1);
        stopped.extend(bench.stops().map_err(|error| format!("one of {JOBS} jobs stopped: {error}"))?);
        gone.extend(bench.callers().map_err(|error| format!("a caller goes away: {error}"))?);
        ended.push(bench.end().map_err(|error| format!("an idle worker ends: {error}"))?);
    }
    // Each takes ten seconds, and the kernel counts over all of them.
    let windows = rounds.min(if options.quick { 1 } else { 5 });
    for window in 0..windows {
        eprint!("\rfaults: idle worker, {} of {windows} ", window + 1);
        idle.push(bench.idle().map_err(|error| format!("an idle worker: {error}"))?);
    }
    eprintln!();

    let figures = [
        Figure {
            key: "stop_to_dropped_ms",
            about: "stop answered -> job's future dropped, ms",
            limit: Some(100.0),
            values: stopped,
        },
        Figure {
            key: "client_gone_to_dropped_ms",
            about: "caller closes -> stream's producer dropped, ms",
            limit: Some(200.0),
            values: gone,
        },
        Figure {
            key: "idle_cpu_percent",
            about: "CPU of an idle worker, % of a core",
            limit: Some(0.2),
            values: idle,
        },
        Figure {
            key: "sigterm_to_exit_ms",
            about: "SIGTERM -> idle worker has ended, ms",
            limit: None,
            values: ended,
        },
    ];
    Ok(report(&figures, programs))
}

fn report(figures: &[Figure], programs: &Programs) -> Report {
    let head = ["what", "median [quartiles]", "maximum", "limit", "kept", "samples"];
    let mut report = Report::new("faults: how long it takes, against the limits", &head);
    for figure in figures {
        let spread = Spread::of(figure.values.iter().copied());
        let maximum = figure.values.iter().copied().fold(f64::NAN, f64::max);
        report.ratio_by_name(figure.key, "median", spread.median);
        report.ratio_by_name(figure.key, "max", maximum);
        report.row(vec![
            figure.about.to_owned(),
            spread.to_string(),
            format!("{maximum:.2}"),
            figure.limit.map_or_else(|| "-".to_owned(), |limit| limit.to_string()),
            // A limit is one for every single case.
            figure.limit.map_or("-", |limit| if maximum < limit { "yes" } else { "NO" }).to_owned(),
            figure.values.len().to_string(),
        ]);
    }
    report.note(format!(
        "of {JOBS} running jobs one is named in the stop channel: no result of it, {} results of the others",
        JOBS - 1
    ));
    report.note("an idle worker holds a take and a poll of the stop channel, and beats; its end begins with the start of `kill`");
    report.note(format!("worker on one core, job server on another; profile {}", programs.profile));
    report
}

struct Bench<'a> {
    programs: &'a Programs,
    cores: Cores,
}

impl Bench<'_> {
    /// Stops each of the jobs once, in a batch of its own. Returns the times until they were dropped, in ms.
    fn stops(&self) -> Result<Vec<f64>> {
        let guards = Guards::listen()?;
        let (jobs, worker) = self.worker(&guards)?;
        let mut times = Vec::new();
        let mut stopped = Vec::new();
        for victim in 0..JOBS {
            let given = jobs.ask(&format!("give?jobs={JOBS}"))?;
            let began = (0..JOBS).map(|_| guards.next("began")).collect::<Result<Vec<Told>>>()?;
            let id = given["ids"][victim].as_u64().ok_or_else(|| format!("no job given: {given}"))?;
            let sent = jobs.ask(&format!("stop?job={id}"))?;
            let sent = sent["sent_unix_ns"].as_u64().ok_or_else(|| format!("not stopped: {sent}"))?;
            let dropped = guards.next("dropped")?;
            if dropped.name != id.to_string() {
                return Err(format!("job {id} was to stop, and job {} was dropped", dropped.name).into());
            }
            times.push(ms(sent, dropped.unix_ns)?);
            stopped.push(id);
            // Only now, so that nothing else could have ended it; each of the others has to finish.
            for other in began.iter().filter(|work| work.name != dropped.name) {
                guards.release(other)?;
            }
            for _ in 1..JOBS {
                guards.next("finished")?;
            }
        }
        // It has posted everything before it ends.
        worker.terminate()?;
        let end = jobs.ask("jobs")?;
        let mut unposted: Vec<u64> =
            end["running"].as_array().into_iter().flatten().filter_map(Value::as_u64).collect();
        unposted.sort_unstable();
        stopped.sort_unstable();
        let done = JOBS * (JOBS - 1);
        if unposted != stopped || end["wrong"] != 0 || end["done"] != done {
            return Err(format!("{stopped:?} were stopped, {done} others have results, but {end}").into());
        }
        Ok(times)
    }

    /// Callers of a stream that close their connection after the first item. Returns the times until the producer was dropped, in ms.
    fn callers(&self) -> Result<Vec<f64>> {
        let guards = Guards::listen()?;
        let port = probe::free_port()?;
        let variables = [
            ("FLASH_ENDPOINT_TYPE", "lb".to_owned()),
            ("FLASH_RESOURCE_NAME", "http".to_owned()),
            ("FLASH_HOST", "127.0.0.1".to_owned()),
            ("PORT", port.to_string()),
            guards.variable()?,
        ];
        let mut server =
            Server::start(self.programs.path("flash_app")?, self.cores.measured, &[], &variables)?;
        server.wait_until_ready(port, "/ping")?;
        let mut times = Vec::new();
        for caller in 0..CALLERS {
            let stream = first_item(port, &format!("/silent/{caller}"))?;
            guards.next("began")?;
            let closed = unix_ns();
            drop(stream);
            times.push(ms(closed, guards.next("dropped")?.unix_ns)?);
        }
        Ok(times)
    }

    /// The CPU that a worker takes which waits for jobs, in percent of a core.
    fn idle(&self) -> Result<f64> {
        let (jobs, worker) = self.worker(&Guards::listen()?)?;
        // What it does once after its start is not idleness.
        std::thread::sleep(Duration::from_millis(500));
        let window = jobs.ask(&format!("window?ms={IDLE_MS}&pid={}", worker.pid()))?;
        let busy = window["busy"].as_f64().ok_or_else(|| format!("no CPU figure: {window}"))?;
        Ok(busy * 100.0)
    }

    /// The time that a worker without jobs needs to end, in ms.
    fn end(&self) -> Result<f64> {
        let (_jobs, worker) = self.worker(&Guards::listen()?)?;
        Ok(worker.terminate()?.as_secs_f64() * 1000.0)
    }

    /// A worker whose take is held, and its job server.
    fn worker(&self, guards: &Guards) -> Result<(JobServer, Server)> {
        let port = probe::free_port()?;
        let words = ["--port", &port.to_string(), "--saturated", "false"].map(str::to_owned);
        let mut process = Server::start(self.programs.path("job_server")?, self.cores.other, &words, &[])?;
        process.wait_until_ready(port, "/control/ready")?;
        let jobs = JobServer { port, _process: process };
        let program = self.programs.path("flash_app")?;
        // Results that an earlier worker left behind would be posted by this one.
        let outbox = program.with_extension("faults");
        if outbox.exists() {
            fs::remove_dir_all(&outbox)?;
        }
        let mut variables = super::queue::worker_variables(&format!("http://127.0.0.1:{port}/v2/bench"));
        variables.extend([
            ("FLASH_ENDPOINT_TYPE", "qb".to_owned()),
            ("FLASH_RESOURCE_NAME", "queue-held".to_owned()),
            ("FLASH_OUTBOX_DIR", outbox.to_string_lossy().into_owned()),
            guards.variable()?,
        ]);
        let mut worker = Server::start(program, self.cores.measured, &[], &variables)?;
        worker.wait_until("holding a take", || Ok(jobs.ask("jobs")?["take_held"] == true))?;
        Ok((jobs, worker))
    }
}

/// The running job server, which knows what the worker does.
struct JobServer {
    port: u16,
    _process: Server,
}

impl JobServer {
    fn ask(&self, question: &str) -> Result<Value> {
        probe::get_json(self.port, &format!("/control/{question}"), ANSWER_LIMIT)
    }
}

/// A caller that has read the first item of a stream.
fn first_item(port: u16, path: &str) -> Result<TcpStream> {
    let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port))?;
    stream.set_read_timeout(Some(ANSWER_LIMIT))?;
    stream.write_all(format!("GET {path} HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n").as_bytes())?;
    let mut answer = Vec::new();
    let mut buffer = [0; 4096];
    loop {
        let length = stream.read(&mut buffer)?;
        answer.extend_from_slice(&buffer[..length]);
        let text = String::from_utf8_lossy(&answer);
        if text.contains("data: 1\n\n") {
            return Ok(stream);
        }
        if length == 0 {
            return Err(format!("{path} ended before its first item: {text}").into());
        }
    }
}

/// Work that was dropped before anything asked for it was dropped for another reason.
fn ms(from_unix_ns: u64, until_unix_ns: u64) -> Result<f64> {
    let ns = until_unix_ns.checked_sub(from_unix_ns).ok_or("work was dropped before its reason")?;
    Ok(ns as f64 / 1e6)
}

fn unix_ns() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_nanos()).unwrap_or(u64::MAX)
}
