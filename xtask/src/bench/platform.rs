//! The local platform's queue: durable behind HTTP against the same kind of front over Redis and PostgreSQL; in memory against
//! a plain queue in the same process; the store alone against a plain group-commit loop; depth, memory, and latency.

use serde_json::Value;

use super::machine::{self, Cores};
use super::peers::{Folder, Peer};
use super::programs::Programs;
use super::report::Report;
use super::rounds::interleaved;
use super::server::Server;
use super::spread::Spread;
use super::{Options, probe};
use crate::Result;
use crate::setup::debian;

/// Callers, and connections of workers.
const LOADS: [(usize, usize); 3] = [(1, 1), (16, 4), (64, 16)];
const DEPTH: usize = 1_000_000;
const QUEUED: usize = 100_000;

/// What is measured behind HTTP.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Target {
    Memory,
    Plain,
    Sqlite,
    /// Survives the end of its process, and of a power cut all but the last moment: as much as Redis with a sync each second.
    SqliteProcess,
    RedisAlways,
    RedisEverySecond,
    Postgres,
}

impl Target {
    fn name(self) -> &'static str {
        match self {
            Self::Memory => "ours, memory",
            Self::Plain => "plain queue",
            Self::Sqlite => "ours, durable",
            Self::SqliteProcess => "ours, process",
            Self::RedisAlways => "Redis always",
            Self::RedisEverySecond => "Redis everysec",
            Self::Postgres => "PostgreSQL",
        }
    }

    fn store(self) -> &'static str {
        match self {
            Self::Memory => "memory",
            Self::Plain => "plain",
            Self::Sqlite => "sqlite",
            Self::SqliteProcess => "sqlite-process",
            Self::RedisAlways | Self::RedisEverySecond => "redis",
            Self::Postgres => "postgres",
        }
    }
}

/// A front with whatever it needs.
struct Running {
    port: u16,
    front: Server,
    _peer: Option<Peer>,
    _folder: Folder,
}

/// How a load fared.
#[derive(Debug, Clone, Copy)]
struct Rate {
    jobs_per_second: f64,
    p50_us: f64,
    p99_us: f64,
    cpu_us: f64,
}

struct Bench<'a> {
    programs: &'a Programs,
    cores: Cores,
    window_ms: u64,
    rounds: usize,
    samples: usize,
}

/// Runs the benchmark.
///
/// # Errors
/// When a server cannot be installed or started, or an answer was wrong.
pub(crate) fn run(options: &Options, programs: &Programs) -> Result<Report> {
    debian::install_peers(&mut |line| eprintln!("{line}"))?;
    let bench = Bench {
        programs,
        cores: Cores::choose(),
        window_ms: if options.quick { 500 } else { 2_000 },
        rounds: options.rounds(10, 2),
        samples: if options.quick { 100 } else { 500 },
    };
    let head = ["load", "target", "jobs/s", "ours vs it", "p50 us", "p99 us", "front CPU us/job"];
    let title = format!("platform: jobs over HTTP, medians [quartiles] of {} rounds", bench.rounds);
    let mut report = Report::new(title, &head);
    bench.durable(options, &mut report)?;
    bench.memory(options, &mut report)?;
    bench.start(&mut report)?;
    bench.store(options, &mut report)?;
    bench.deep(&mut report)?;
    bench.queued(&mut report)?;
    report.note(format!(
        "servers (with Redis and PostgreSQL) on one core, load on another; windows of {} ms; profile {}",
        bench.window_ms, programs.profile
    ));
    Ok(report)
}

impl Bench<'_> {
    /// Submit, take, done, status, each a request, durable. Each peer stands against what survives as much as it does.
    fn durable(&self, options: &Options, report: &mut Report) -> Result<()> {
        use Target::{Postgres, RedisAlways, RedisEverySecond, Sqlite, SqliteProcess};
        let ours =
            if options.against_itself { [RedisEverySecond, RedisAlways] } else { [SqliteProcess, Sqlite] };
        let [process, full] = ours;
        let targets = [RedisEverySecond, process, RedisAlways, Postgres, full];
        let pairs = [
            Pair { key: "vs_redis_everysec", ours: 1, peer: 0 },
            Pair { key: "full_vs_redis_everysec", ours: 4, peer: 0 },
            Pair { key: "vs_redis_always", ours: 4, peer: 2 },
            Pair { key: "vs_postgres", ours: 4, peer: 3 },
        ];
        for (callers, workers) in LOADS {
            let words = ["--mode", "jobs", "--workers", &workers.to_string()].map(str::to_owned);
            let rates = self.rates(&targets, callers, &words)?;
            let load = format!("{callers} callers, {workers} workers");
            compare(report, &load, callers, &targets, &rates, &pairs);
        }
        Ok(())
    }

    /// `/runsync` with a worker in the same process.
    fn memory(&self, options: &Options, report: &mut Report) -> Result<()> {
        let ours = if options.against_itself { Target::Plain } else { Target::Memory };
        let targets = [Target::Plain, ours];
        for (callers, _) in LOADS {
            let words = ["--mode", "runsync"].map(str::to_owned);
            let rates = self.rates(&targets, callers, &words)?;
            compare(
                report,
                &format!("{callers} x runsync"),
                callers,
                &targets,
                &rates,
                &[Pair { key: "memory_vs_plain_queue", ours: 1, peer: 0 }],
            );
            let cpu = |at: usize| rates[at].iter().map(|rate| rate.cpu_us).collect::<Vec<_>>();
            report.ratio_by("memory_cpu_vs_plain_queue", callers, Spread::ratio(&cpu(1), &cpu(0)).median);
        }
        Ok(())
    }

    fn rates(&self, targets: &[Target], callers: usize, words: &[String]) -> Result<Vec<Vec<Rate>>> {
        let mut rates: Vec<Vec<Rate>> = targets.iter().map(|_| Vec::new()).collect();
        for (round, order) in interleaved(targets.len(), self.rounds).enumerate() {
            eprint!("\rplatform: {callers} callers, round {} of {} ", round + 1, self.rounds);
            for at in order {
                let rate = self.rate(targets[at], callers, words);
                rates[at].push(rate.map_err(|error| format!("{}: {error}", targets[at].name()))?);
            }
        }
        eprintln!();
        Ok(rates)
    }

    fn rate(&self, target: Target, callers: usize, words: &[String]) -> Result<Rate> {
        let running = self.start_front(target, &["--work", "true"])?;
        let mut load = self.load(&running)?;
        load.args(words).args(["--callers", &callers.to_string(), "--pid", &running.front.pid().to_string()]);
        load.args(["--warm-up-ms", "200", "--window-ms", &self.window_ms.to_string()]);
        let printed = output(load)?;
        Ok(Rate {
            jobs_per_second: number(&printed, "jobs_per_second")?,
            p50_us: number(&printed, "p50_us")?,
            p99_us: number(&printed, "p99_us")?,
            cpu_us: number(&printed, "cpu_us")?,
        })
    }

    /// From a submit to the start at a worker that waits.
    fn start(&self, report: &mut Report) -> Result<()> {
        let mut line = "submit to start at an idle worker".to_owned();
        for (target, name) in [(Target::Memory, "memory"), (Target::Sqlite, "durable")] {
            let mut medians = Vec::new();
            for _ in 0..self.rounds {
                let running = self.start_front(target, &[])?;
                let mut load = self.load(&running)?;
                load.args(["--mode", "start", "--samples", &self.samples.to_string()]);
                medians.push(number(&output(load)?, "start_p50_us")? / 1_000.0);
            }
            let spread = Spread::of(medians);
            line.push_str(&format!(", {name} {spread} ms"));
            report.ratio_by_name("submit_to_start_ms", name, spread.median);
        }
        report.note(line);
        Ok(())
    }

    /// The store without HTTP.
    fn store(&self, options: &Options, report: &mut Report) -> Result<()> {
        let ours = if options.against_itself { "plain" } else { "ours" };
        for (full, name) in [("true", "full"), ("false", "process")] {
            let (mut rates, mut cpu) = ([Vec::new(), Vec::new()], [Vec::new(), Vec::new()]);
            for order in interleaved(2, self.rounds) {
                for at in order {
                    let mode = ["plain", ours][at];
                    let window = self.window_ms.to_string();
                    let printed =
                        self.loop_over(&["--mode", mode, "--full", full, "--window-ms", &window])?;
                    rates[at].push(number(&printed, "jobs_per_second")?);
                    cpu[at].push(number(&printed, "cpu_us")?);
                }
            }
            let ratio = Spread::ratio(&rates[1], &rates[0]);
            report.note(format!(
                "store alone, 64 clients, durability {name}: {} jobs/s against {} of a plain group-commit loop, {ratio}",
                Spread::of(rates[1].iter().copied()),
                Spread::of(rates[0].iter().copied()),
            ));
            report.ratio_by_name("store_vs_plain_sqlite", name, ratio.median);
            let cpu = Spread::ratio(&cpu[1], &cpu[0]);
            report.note(format!(
                "CPU per job of the store alone, durability {name}: {cpu} times the plain loop's"
            ));
            report.ratio_by_name("store_cpu_vs_plain_sqlite", name, cpu.median);
        }
        Ok(())
    }

    fn deep(&self, report: &mut Report) -> Result<()> {
        eprintln!("platform: queueing {DEPTH} jobs");
        let printed = self.loop_over(&["--mode", "deep", "--depth", &DEPTH.to_string()])?;
        let (shallow, deep) = (number(&printed, "shallow_us")?, number(&printed, "deep_us")?);
        report.note(format!("a take with 5000 jobs queued {shallow:.0} us, with {DEPTH} {deep:.0} us"));
        report.ratio("deep_queue_slowdown", deep / shallow);
        Ok(())
    }

    fn queued(&self, report: &mut Report) -> Result<()> {
        eprintln!("platform: queueing {QUEUED} jobs of a KiB");
        let running = self.start_front(Target::Sqlite, &["--preload", &QUEUED.to_string()])?;
        let status = std::fs::read_to_string(format!("/proc/{}/status", running.front.pid()))?;
        let resident =
            status.lines().find_map(|line| line.strip_prefix("VmRSS:")?.trim().strip_suffix(" kB"));
        let kib: f64 = resident.ok_or("the front is gone")?.trim().parse()?;
        report.note(format!("with {QUEUED} jobs of 1 KiB queued on disk: {:.1} MiB resident", kib / 1_024.0));
        report.ratio("rss_100k_mib", kib / 1_024.0);
        Ok(())
    }

    fn start_front(&self, target: Target, more: &[&str]) -> Result<Running> {
        let (folder, port) = (Folder::new()?, probe::free_port()?);
        let peer = match target {
            Target::RedisAlways => Some(Peer::redis(self.cores.measured, "always")?),
            Target::RedisEverySecond => Some(Peer::redis(self.cores.measured, "everysec")?),
            Target::Postgres => Some(Peer::postgres(self.cores.measured)?),
            _ => None,
        };
        let mut words =
            vec!["--port".to_owned(), port.to_string(), "--store".to_owned(), target.store().to_owned()];
        words.extend(["--dir".to_owned(), folder.text()]);
        words.extend(peer.iter().flat_map(|peer| ["--url".to_owned(), peer.url.clone()]));
        // Only `/runsync` is answered inside the server.
        let alone = matches!(target, Target::Memory | Target::Plain);
        words.extend(
            more.iter().filter(|_| alone || more.first() != Some(&"--work")).map(|word| (*word).to_owned()),
        );
        let mut front = Server::start(self.programs.path("queue_front")?, self.cores.measured, &words, &[])?;
        front.wait_until_ready(port, "/ready")?;
        Ok(Running { port, front, _peer: peer, _folder: folder })
    }

    fn load(&self, running: &Running) -> Result<std::process::Command> {
        let mut load = machine::pinned(self.programs.path("queue_load")?, self.cores.other);
        load.args(["--address", &format!("127.0.0.1:{}", running.port)]);
        Ok(load)
    }

    fn loop_over(&self, words: &[&str]) -> Result<Value> {
        let folder = Folder::new()?;
        let mut command = machine::pinned(self.programs.path("store_loop")?, self.cores.measured);
        command.args(["--dir", &folder.text()]).args(words);
        output(command)
    }
}

/// Targets that are compared, by their places.
struct Pair {
    key: &'static str,
    ours: usize,
    peer: usize,
}

/// Adds the rows of one load. The row of a peer has the ratio of the first pair that it is in.
fn compare(
    report: &mut Report,
    load: &str,
    by: usize,
    targets: &[Target],
    rates: &[Vec<Rate>],
    pairs: &[Pair],
) {
    let series = |at: usize, figure: fn(&Rate) -> f64| rates[at].iter().map(figure).collect::<Vec<_>>();
    let ratio = |pair: &Pair| {
        Spread::ratio(
            &series(pair.ours, |rate| rate.jobs_per_second),
            &series(pair.peer, |rate| rate.jobs_per_second),
        )
    };
    for (at, target) in targets.iter().enumerate() {
        let of = |figure| Spread::of(series(at, figure));
        let versus = pairs.iter().find(|pair| pair.peer == at);
        report.row(vec![
            load.to_owned(),
            target.name().to_owned(),
            of(|rate| rate.jobs_per_second).to_string(),
            versus.map(|pair| ratio(pair).to_string()).unwrap_or_default(),
            format!("{:.0}", of(|rate| rate.p50_us).median),
            format!("{:.0}", of(|rate| rate.p99_us).median),
            of(|rate| rate.cpu_us).to_string(),
        ]);
    }
    for pair in pairs {
        report.ratio_by(pair.key, by, ratio(pair).median);
    }
}

fn output(mut command: std::process::Command) -> Result<Value> {
    let printed = command.output()?;
    if !printed.status.success() {
        return Err(String::from_utf8_lossy(&printed.stderr).into_owned().into());
    }
    Ok(serde_json::from_slice(&printed.stdout)?)
}

fn number(answer: &Value, key: &str) -> Result<f64> {
    Ok(answer[key].as_f64().ok_or_else(|| format!("{key} was not printed: {answer}"))?)
}
