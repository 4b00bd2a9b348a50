//! No-op jobs through the worker protocol: our queue worker against bare loops that take, parse and post, and nothing else,
//! and against the Python worker.

use std::path::PathBuf;
use std::time::Duration;

use serde_json::Value;

use super::machine::Cores;
use super::programs::Programs;
use super::report::Report;
use super::rounds::interleaved;
use super::server::Server;
use super::spread::Spread;
use super::{Options, probe};
use crate::{Result, tool};

const SLOTS: [usize; 3] = [1, 16, 64];
/// Several batches of the Python worker, which takes one per second.
const PYTHON_WINDOW_MS: u64 = 4_000;
const PYTHON_ROUNDS: usize = 3;
/// Longer than any question to the job server takes to be answered.
const ANSWER_LIMIT: Duration = Duration::from_secs(60);

/// A worker of the comparison.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Worker {
    Single,
    Prefetch,
    Batch,
    Python,
    Flash,
}

/// What the worker is given to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Work {
    /// As many jobs as it can take, with this many slots.
    Saturated { slots: usize },
    /// One job at a time when it is idle; the function returns when it began.
    Clock,
}

impl Worker {
    fn name(self) -> &'static str {
        match self {
            Self::Single => "bare single",
            Self::Prefetch => "bare prefetch",
            Self::Batch => "bare batch",
            Self::Python => "python",
            Self::Flash => "flash",
        }
    }

    /// The bare loops worth running with this many slots: a batch of one is a single take.
    fn bare(slots: usize) -> &'static [Self] {
        if slots == 1 {
            &[Self::Single, Self::Prefetch]
        } else {
            &[Self::Single, Self::Prefetch, Self::Batch]
        }
    }

    fn start(self, programs: &Programs, core: Option<usize>, port: u16, work: Work) -> Result<Server> {
        let base = format!("http://127.0.0.1:{port}/v2/bench");
        let mode = match self {
            Self::Flash => return start_flash(programs, core, &base, work),
            Self::Python => return start_python(core, &base, work),
            Self::Single => "single",
            Self::Prefetch => "prefetch",
            Self::Batch => "batch",
        };
        let (slots, clock) = match work {
            Work::Saturated { slots } => (slots, false),
            Work::Clock => (1, true),
        };
        let words =
            ["--base", &base, "--mode", mode, "--slots", &slots.to_string(), "--clock", &clock.to_string()];
        Server::start(programs.path("bare_queue")?, core, &words.map(str::to_owned), &[])
    }
}

fn start_flash(programs: &Programs, core: Option<usize>, base: &str, work: Work) -> Result<Server> {
    let resource = match work {
        Work::Saturated { slots } => format!("queue-{slots}"),
        Work::Clock => "queue-clock".to_owned(),
    };
    let program = programs.path("flash_app")?;
    // Results are written down before they are posted, as a deployed worker does it.
    let outbox = program.with_extension("outbox");
    // What an earlier run could not deliver is none of this one's work.
    let _ = std::fs::remove_dir_all(&outbox);
    let outbox = outbox.to_string_lossy().into_owned();
    let mut variables = worker_variables(base);
    variables.extend([
        ("FLASH_ENDPOINT_TYPE", "qb".to_owned()),
        ("FLASH_RESOURCE_NAME", resource),
        ("FLASH_OUTBOX_DIR", outbox),
    ]);
    Server::start(program, core, &[], &variables)
}

/// The platform's own worker, where `cargo xtask setup` installed it.
fn python() -> Option<PathBuf> {
    let python = tool::root().join("target/tools/python/bin/python");
    python.is_file().then_some(python)
}

fn start_python(core: Option<usize>, base: &str, work: Work) -> Result<Server> {
    let slots = match work {
        Work::Saturated { slots } => slots,
        Work::Clock => 1,
    };
    let worker = tool::root().join("benches/python/worker.py");
    let mut variables = worker_variables(base);
    variables.extend([
        // It dials a public address otherwise.
        ("RUNPOD_SKIP_AUTO_SYSTEM_CHECKS", "true".to_owned()),
        ("RUNPOD_SKIP_GPU_CHECK", "true".to_owned()),
        ("RUNPOD_LOG_LEVEL", "ERROR".to_owned()),
        ("HOME", "/nonexistent".to_owned()),
    ]);
    let words = [worker.to_string_lossy().into_owned(), slots.to_string()];
    let log = tool::root().join("target/bench-python.log");
    let python = python().ok_or("there is no Python worker\nhelp: run cargo xtask setup")?;
    Server::start_with_log(&python, core, &words, &variables, log)
}

/// What a platform sets for a queue worker.
pub(crate) fn worker_variables(base: &str) -> Vec<(&'static str, String)> {
    vec![
        ("RUNPOD_WEBHOOK_GET_JOB", format!("{base}/job-take/$ID?gpu=none")),
        ("RUNPOD_WEBHOOK_POST_OUTPUT", format!("{base}/job-done/$RUNPOD_POD_ID/$ID?gpu=none")),
        ("RUNPOD_WEBHOOK_PING", format!("{base}/ping/$RUNPOD_POD_ID?gpu=none")),
        ("RUNPOD_AI_API_KEY", "bench".to_owned()),
        ("RUNPOD_POD_ID", "bench".to_owned()),
    ]
}

/// How a saturated worker fared within a window.
#[derive(Debug)]
struct Rate {
    jobs_per_second: f64,
    cpu_us: f64,
    busy: f64,
    /// The job server's share of its own core; near 1 it is the server that limits the rate.
    server_busy: f64,
    resident_mib: f64,
    most_running: f64,
}

/// How an idle worker fared.
#[derive(Debug)]
struct Idle {
    boot_ms: f64,
    resident_mib: f64,
    start_us: f64,
    result_us: f64,
}

/// Runs the benchmark.
///
/// # Errors
/// When a program cannot be started, or a result was not what its job asked for.
pub(crate) fn run(options: &Options, programs: &Programs) -> Result<Report> {
    let bench = Bench {
        programs,
        cores: Cores::choose(),
        window_ms: if options.quick { 400 } else { 1000 },
        samples: if options.quick { 100 } else { 300 },
    };
    let rounds = options.rounds(20, 3);
    let mut report = Report::new(
        format!("queue: no-op jobs, medians [quartiles] of {rounds} rounds"),
        &[
            "slots",
            "worker",
            "jobs/s",
            "ours vs it",
            "CPU us/job",
            "ours vs it",
            "busy",
            "server busy",
            "MiB",
            "most held",
        ],
    );
    for slots in SLOTS {
        bench.saturated(slots, rounds, options, &mut report)?;
    }
    bench.idle(rounds, options, &mut report)?;
    report.note(format!(
        "worker on one core, job server on another; windows of {} ms; profile {}",
        bench.window_ms, bench.programs.profile
    ));
    Ok(report)
}

struct Bench<'a> {
    programs: &'a Programs,
    cores: Cores,
    window_ms: u64,
    samples: u64,
}

impl Bench<'_> {
    fn saturated(&self, slots: usize, rounds: usize, options: &Options, report: &mut Report) -> Result<()> {
        let bare = Worker::bare(slots);
        let ours = if options.against_itself { bare[bare.len() - 1] } else { Worker::Flash };
        let workers: Vec<Worker> = bare.iter().copied().chain([ours]).collect();
        let last = workers.len() - 1;
        let mut rates: Vec<Vec<Rate>> = workers.iter().map(|_| Vec::new()).collect();
        for (round, order) in interleaved(workers.len(), rounds).enumerate() {
            eprint!("\rqueue: {slots} slots, round {} of {rounds} ", round + 1);
            for target in order {
                let rate = self.rate(workers[target], slots);
                let rate =
                    rate.map_err(|error| format!("{}, {slots} slots: {error}", workers[target].name()))?;
                rates[target].push(rate);
            }
        }
        eprintln!();

        let series =
            |target: usize, figure: fn(&Rate) -> f64| rates[target].iter().map(figure).collect::<Vec<_>>();
        let versus = |target: usize, figure| Spread::ratio(&series(last, figure), &series(target, figure));
        // The best bare loop is the one that ours looks worst against.
        let best = (0..last)
            .min_by(|a, b| {
                let median = |target| versus(target, |rate| rate.jobs_per_second).median;
                median(*a).total_cmp(&median(*b))
            })
            .unwrap_or(0);
        for (target, worker) in workers.iter().enumerate() {
            let of = |figure| Spread::of(series(target, figure));
            let ratio =
                |figure| if target == last { String::new() } else { versus(target, figure).to_string() };
            report.row(vec![
                slots.to_string(),
                format!("{}{}", worker.name(), if target == best { " *" } else { "" }),
                of(|rate| rate.jobs_per_second).to_string(),
                ratio(|rate| rate.jobs_per_second),
                of(|rate| rate.cpu_us).to_string(),
                ratio(|rate| rate.cpu_us),
                format!("{:.2}", of(|rate| rate.busy).median),
                format!("{:.2}", of(|rate| rate.server_busy).median),
                format!("{:.1}", of(|rate| rate.resident_mib).median),
                format!("{:.0}", of(|rate| rate.most_running).median),
            ]);
        }
        report.ratio_by("vs_bare", slots, versus(best, |rate| rate.jobs_per_second).median);
        report.ratio_by("cpu_per_job_vs_bare", slots, versus(best, |rate| rate.cpu_us).median);
        self.against_python(
            slots,
            rounds,
            &series(last, |rate| rate.jobs_per_second),
            &series(last, |rate| rate.cpu_us),
            report,
        )?;
        if slots == 64 {
            report.ratio("rss64_mib", Spread::of(series(last, |rate| rate.resident_mib)).median);
            report.note("* the best bare loop, which `vs_bare` and `cpu_per_job_vs_bare` are against");
        }
        Ok(())
    }

    /// The Python worker has its own rounds, because it needs whole seconds for each batch of jobs. Its rate is the length of
    /// its sleep, so the CPU for each job is the comparison that says something.
    fn against_python(
        &self,
        slots: usize,
        rounds: usize,
        ours: &[f64],
        ours_cpu: &[f64],
        report: &mut Report,
    ) -> Result<()> {
        if python().is_none() {
            if slots == SLOTS[0] {
                report.note("no Python worker to compare with; cargo xtask setup installs it");
            }
            return Ok(());
        }
        let bench = Bench { window_ms: PYTHON_WINDOW_MS, ..*self };
        let mut rates = Vec::new();
        for round in 0..rounds.clamp(1, PYTHON_ROUNDS) {
            eprint!("\rqueue: {slots} slots, python, round {} ", round + 1);
            rates.push(
                bench
                    .rate(Worker::Python, slots)
                    .map_err(|error| format!("python, {slots} slots: {error}"))?,
            );
        }
        eprintln!();
        let series = |figure: fn(&Rate) -> f64| rates.iter().map(figure).collect::<Vec<_>>();
        let (rate, cpu) =
            (Spread::of(series(|rate| rate.jobs_per_second)), Spread::of(series(|rate| rate.cpu_us)));
        report.row(vec![
            slots.to_string(),
            Worker::Python.name().to_owned(),
            rate.to_string(),
            String::new(),
            cpu.to_string(),
            String::new(),
            format!("{:.2}", Spread::of(series(|rate| rate.busy)).median),
            format!("{:.2}", Spread::of(series(|rate| rate.server_busy)).median),
            format!("{:.1}", Spread::of(series(|rate| rate.resident_mib)).median),
            format!("{:.0}", Spread::of(series(|rate| rate.most_running)).median),
        ]);
        report.ratio_by("vs_python", slots, Spread::of(ours.to_vec()).median / rate.median);
        report.ratio_by("cpu_per_job_vs_python", slots, Spread::of(ours_cpu.to_vec()).median / cpu.median);
        if slots == SLOTS[0] {
            report.note(
                "the Python worker's rate is one batch of its slots per second, because its take loop sleeps a second when \
                 they are full: `vs_python` measures that sleep, `cpu_per_job_vs_python` the work",
            );
        }
        Ok(())
    }

    fn idle(&self, rounds: usize, options: &Options, report: &mut Report) -> Result<()> {
        let ours = if options.against_itself { Worker::Single } else { Worker::Flash };
        let workers = [Worker::Single, ours];
        let mut idles = [Vec::new(), Vec::new()];
        for (round, order) in interleaved(workers.len(), rounds).enumerate() {
            eprint!("\rqueue: idle worker, round {} of {rounds} ", round + 1);
            for target in order {
                let idle = self.idle_worker(workers[target]);
                idles[target]
                    .push(idle.map_err(|error| format!("{}, idle: {error}", workers[target].name()))?);
            }
        }
        eprintln!();
        let series =
            |target: usize, figure: fn(&Idle) -> f64| idles[target].iter().map(figure).collect::<Vec<_>>();
        let later = Spread::difference(&series(1, |idle| idle.boot_ms), &series(0, |idle| idle.boot_ms));
        let start = Spread::ratio(&series(1, |idle| idle.start_us), &series(0, |idle| idle.start_us));
        for (target, worker) in workers.iter().enumerate() {
            let of = |figure| Spread::of(series(target, figure));
            report.note(format!(
                "idle {}: exec to first take {} ms, {} MiB, job available to function start {} us, to its result {} us",
                worker.name(),
                of(|idle| idle.boot_ms),
                of(|idle| idle.resident_mib),
                of(|idle| idle.start_us),
                of(|idle| idle.result_us),
            ));
        }
        report.note(format!(
            "ours against bare single: first take later by {later} ms, function start {start} times"
        ));
        report.ratio("idle_rss_mib", Spread::of(series(1, |idle| idle.resident_mib)).median);
        report.ratio("boot_over_bare_ms", later.median);
        report.ratio("start_latency_vs_bare", start.median);
        Ok(())
    }

    /// The rate of a worker that always finds another job.
    fn rate(&self, worker: Worker, slots: usize) -> Result<Rate> {
        let jobs = self.job_server(true)?;
        let mut running =
            worker.start(self.programs, self.cores.measured, jobs.port, Work::Saturated { slots })?;
        running.wait_until("taking jobs", || jobs.first_take().map(|first| first.is_some()))?;
        jobs.window(150, running.pid())?;
        let window = jobs.window(self.window_ms, running.pid())?;
        if number(&window, "wrong")? > 0.0 || number(&window, "jobs")? < 1.0 {
            return Err(format!("results are missing or wrong: {window}").into());
        }
        Ok(Rate {
            jobs_per_second: number(&window, "jobs_per_second")?,
            cpu_us: number(&window, "cpu_us")?,
            busy: number(&window, "busy")?,
            server_busy: number(&window, "server_busy")?,
            resident_mib: number(&window, "resident_mib")?,
            most_running: number(&window, "most_running")?,
        })
    }

    /// Start, memory and latency of a worker that waits for its next job.
    fn idle_worker(&self, worker: Worker) -> Result<Idle> {
        let jobs = self.job_server(false)?;
        let mut running = worker.start(self.programs, self.cores.measured, jobs.port, Work::Clock)?;
        running.wait_until("taking jobs", || jobs.first_take().map(|first| first.is_some()))?;
        let first_take = jobs.first_take()?.ok_or("the first take is gone")?;
        let idle = jobs.window(200, running.pid())?;
        let latency =
            probe::get_json(jobs.port, &format!("/control/latency?samples={}", self.samples), ANSWER_LIMIT)?;
        Ok(Idle {
            boot_ms: (first_take - running.started_unix_ns() as f64) / 1e6,
            resident_mib: number(&idle, "resident_mib")?,
            start_us: number(&latency, "start_p50_us")?,
            result_us: number(&latency, "result_p50_us")?,
        })
    }

    fn job_server(&self, saturated: bool) -> Result<JobServer> {
        let port = probe::free_port()?;
        let words = ["--port", &port.to_string(), "--saturated", &saturated.to_string()].map(str::to_owned);
        let mut process = Server::start(self.programs.path("job_server")?, self.cores.other, &words, &[])?;
        process.wait_until_ready(port, "/control/ready")?;
        Ok(JobServer { port, _process: process })
    }
}

/// The running job server, which knows what the worker does.
struct JobServer {
    port: u16,
    _process: Server,
}

impl JobServer {
    /// When the worker asked for its first job, in nanoseconds since the Unix epoch.
    fn first_take(&self) -> Result<Option<f64>> {
        Ok(probe::get_json(self.port, "/control/first-take", ANSWER_LIMIT)?["unix_ns"].as_f64())
    }

    fn window(&self, ms: u64, pid: u32) -> Result<Value> {
        probe::get_json(self.port, &format!("/control/window?ms={ms}&pid={pid}"), ANSWER_LIMIT)
    }
}

fn number(answer: &Value, key: &str) -> Result<f64> {
    Ok(answer[key].as_f64().ok_or_else(|| format!("the job server did not tell {key}: {answer}"))?)
}
