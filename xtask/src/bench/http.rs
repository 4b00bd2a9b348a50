//! JSON echo by POST: our HTTP endpoint against a bare axum handler that does the same decoding, against FastAPI and dropshot,
//! and with bodies of megabytes.
//!
//! Every measurement starts a fresh process, so the time to ready and the idle memory come from the same runs.

use std::fs;
use std::path::Path;

use serde_json::Value;

use super::machine::{self, Cores};
use super::programs::Programs;
use super::report::Report;
use super::rounds::interleaved;
use super::server::Server;
use super::spread::Spread;
use super::{Options, probe};
use crate::{Result, setup, tool};

const CONNECTIONS: [usize; 3] = [1, 16, 64];
const BODY: &str = r#"{"a":1,"b":"text"}"#;
/// The frameworks are far away, so a few rounds tell how far.
const FRAMEWORK_ROUNDS: usize = 6;
const MIB: usize = 1024 * 1024;

/// A body that is large: its name, the route that takes it, its size in bytes, and how it is made.
type LargeBody = (&'static str, &'static str, usize, fn(usize) -> String);

const LARGE: [LargeBody; 4] = [
    ("text_1mib", "/text", MIB, text),
    ("floats_1mib", "/floats", MIB, floats),
    ("text_10mib", "/text", 10 * MIB, text),
    ("floats_10mib", "/floats", 10 * MIB, floats),
];

/// A text of letters, with a line break now and then, as texts have.
fn text(size: usize) -> String {
    let line = "The quick brown fox jumps over the lazy dog, again and again and again.\\n";
    format!(r#"{{"text":"{}"}}"#, line.repeat(size / line.len()))
}

/// Numbers with as many digits as a measured value has.
fn floats(size: usize) -> String {
    let mut json = String::from(r#"{"values":["#);
    let mut number = 0.123_456_789_f64;
    while json.len() < size {
        number = (number * 997.13).fract() + 0.000_1;
        json.push_str(&number.to_string());
        json.push(',');
    }
    json.pop();
    json.push_str("]}");
    json
}

/// What one start of a server showed.
#[derive(Debug)]
struct Sample {
    ready_ms: f64,
    load: Load,
}

/// What the load generator printed.
#[derive(Debug)]
struct Load {
    requests_per_second: f64,
    cpu_us: f64,
    p50_us: f64,
    p99_us: f64,
    busy: f64,
    idle_mib: f64,
    loaded_mib: f64,
    peak_mib: f64,
}

impl Load {
    fn read(printed: &Value) -> Result<Self> {
        let number =
            |key: &str| printed[key].as_f64().ok_or_else(|| format!("`load` did not print {key}: {printed}"));
        let errors = number("errors")?;
        if errors > 0.0 {
            return Err(format!("{errors} requests failed").into());
        }
        Ok(Self {
            requests_per_second: number("requests_per_second")?,
            cpu_us: number("cpu_us")?,
            p50_us: number("p50_us")?,
            p99_us: number("p99_us")?,
            busy: number("busy")?,
            idle_mib: number("idle_mib")?,
            loaded_mib: number("loaded_mib")?,
            peak_mib: number("peak_mib")?,
        })
    }
}

/// A side of the comparison.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Side {
    Axum,
    Flash,
    FastApi,
    Dropshot,
}

impl Side {
    fn name(self) -> &'static str {
        match self {
            Self::Axum => "bare axum",
            Self::Flash => "flash",
            Self::FastApi => "FastAPI",
            Self::Dropshot => "dropshot",
        }
    }

    fn start(self, programs: &Programs, core: Option<usize>, port: u16) -> Result<Server> {
        match self {
            Self::Axum | Self::Dropshot => {
                let words = ["--port".to_owned(), port.to_string()];
                let name = if self == Self::Axum { "axum_echo" } else { "dropshot_echo" };
                Server::start(programs.path(name)?, core, &words, &[])
            }
            Self::FastApi => {
                let python = tool::root().join("target/tools/python/bin/python");
                let script = tool::root().join("benches/python/fastapi_echo.py");
                Server::start(&python, core, &[script.display().to_string(), port.to_string()], &[])
            }
            Self::Flash => {
                let variables = [
                    ("FLASH_ENDPOINT_TYPE", "lb".to_owned()),
                    ("FLASH_RESOURCE_NAME", "http".to_owned()),
                    ("FLASH_HOST", "127.0.0.1".to_owned()),
                    ("PORT", port.to_string()),
                ];
                Server::start(programs.path("flash_app")?, core, &[], &variables)
            }
        }
    }
}

/// A request that is sent again and again.
#[derive(Debug, Clone, Copy)]
struct Request<'a> {
    path: &'a str,
    body: &'a Path,
    connections: usize,
    window_ms: u64,
}

/// Runs the benchmark.
///
/// # Errors
/// When a program cannot be started, or a request fails.
pub(crate) fn run(options: &Options, programs: &Programs) -> Result<Report> {
    setup::run(&mut |what| eprintln!("installing {what}"))?;
    let cores = Cores::choose();
    let ours = if options.against_itself { Side::Axum } else { Side::Flash };
    let sides = [Side::Axum, ours];
    let rounds = options.rounds(30, 4);
    let window_ms = if options.quick { 400 } else { 1000 };
    let folder = programs.path("load")?.with_extension("bodies");
    fs::create_dir_all(&folder)?;
    let small = folder.join("small.json");
    fs::write(&small, BODY)?;

    let mut samples: Vec<[Vec<Sample>; 2]> = CONNECTIONS.iter().map(|_| [Vec::new(), Vec::new()]).collect();
    for (round, order) in interleaved(sides.len(), rounds).enumerate() {
        eprint!("\rhttp: round {} of {rounds} ", round + 1);
        for (cell, connections) in samples.iter_mut().zip(CONNECTIONS) {
            let request = Request { path: "/echo", body: &small, connections, window_ms };
            for &side in &order {
                cell[side].push(measure(programs, cores, sides[side], request)?);
            }
        }
    }
    let mut report = report(&samples, ours, programs, window_ms);
    large(&mut report, programs, cores, sides, &folder, rounds)?;
    if !options.against_itself {
        let request = Request { path: "/echo", body: &small, connections: 1, window_ms };
        frameworks(&mut report, programs, cores, request, rounds.min(FRAMEWORK_ROUNDS))?;
    }
    eprintln!();
    Ok(report)
}

/// Bodies of megabytes, over as many connections as keep the server busy, and what they take of memory.
fn large(
    report: &mut Report,
    programs: &Programs,
    cores: Cores,
    sides: [Side; 2],
    folder: &Path,
    rounds: usize,
) -> Result<()> {
    const WINDOW_MS: u64 = 1500;
    for (name, path, size, make) in LARGE {
        let file = folder.join(format!("{name}.json"));
        fs::write(&file, make(size))?;
        let connections = if size > MIB { 1 } else { 4 };
        let request = Request { path, body: &file, connections, window_ms: WINDOW_MS };
        let mut samples = [Vec::new(), Vec::new()];
        for (round, order) in interleaved(sides.len(), rounds).enumerate() {
            eprint!("\rhttp: {name}, round {} of {rounds}    ", round + 1);
            for &side in &order {
                samples[side].push(measure(programs, cores, sides[side], request)?);
            }
        }
        let series = |side: usize, figure: fn(&Load) -> f64| -> Vec<f64> {
            samples[side].iter().map(|sample: &Sample| figure(&sample.load)).collect()
        };
        let ratio = |figure: fn(&Load) -> f64| Spread::ratio(&series(1, figure), &series(0, figure));
        let (rate, cpu) = (ratio(|load| load.requests_per_second), ratio(|load| load.cpu_us));
        let in_flight = (size * connections) as f64 / MIB as f64;
        let memory = [0, 1].map(|side| {
            Spread::of(
                samples[side].iter().map(|sample| (sample.load.peak_mib - sample.load.idle_mib) / in_flight),
            )
        });
        report.ratio_by_name("vs_axum_large", name, rate.median);
        report.ratio_by_name("cpu_vs_axum_large", name, cpu.median);
        report.ratio_by_name("memory_per_body", name, memory[1].median);
        report.note(format!(
            "{name}, {connections} connections: requests {rate} of axum's, CPU {cpu}, memory per body in flight {} (axum {})",
            memory[1], memory[0]
        ));
    }
    Ok(())
}

/// What others offer who want the same.
fn frameworks(
    report: &mut Report,
    programs: &Programs,
    cores: Cores,
    request: Request<'_>,
    rounds: usize,
) -> Result<()> {
    for (key, side) in [("vs_fastapi", Side::FastApi), ("vs_dropshot", Side::Dropshot)] {
        for connections in CONNECTIONS {
            let request = Request { connections, ..request };
            let mut rates = [Vec::new(), Vec::new()];
            for (round, order) in interleaved(2, rounds).enumerate() {
                eprint!("\rhttp: {}, round {} of {rounds}    ", side.name(), round + 1);
                for &at in &order {
                    let sample = measure(programs, cores, [side, Side::Flash][at], request)?;
                    rates[at].push(sample.load.requests_per_second);
                }
            }
            let ratio = Spread::ratio(&rates[1], &rates[0]);
            report.ratio_by(key, connections, ratio.median);
            report.note(format!("requests against {}, {connections} connections: {ratio}", side.name()));
        }
    }
    Ok(())
}

fn measure(programs: &Programs, cores: Cores, side: Side, request: Request<'_>) -> Result<Sample> {
    try_measure(programs, cores, side, request)
        .map_err(|error| format!("{}, {} connections: {error}", side.name(), request.connections).into())
}

fn try_measure(programs: &Programs, cores: Cores, side: Side, request: Request<'_>) -> Result<Sample> {
    let port = probe::free_port()?;
    let mut server = side.start(programs, cores.measured, port)?;
    let ready = server.wait_until_ready(port, "/ping")?;
    let mut load = machine::pinned(programs.path("load")?, cores.other);
    load.args(["--address", &format!("127.0.0.1:{port}"), "--path", request.path])
        .arg("--body-file")
        .arg(request.body);
    load.args(["--connections", &request.connections.to_string(), "--pid", &server.pid().to_string()]);
    load.args(["--warm-up-ms", "150", "--window-ms", &request.window_ms.to_string()]);
    let printed = load.output()?;
    if !printed.status.success() {
        return Err(format!("`load` failed: {}", String::from_utf8_lossy(&printed.stderr)).into());
    }
    let load = Load::read(&serde_json::from_slice(&printed.stdout)?)?;
    Ok(Sample { ready_ms: ready.as_secs_f64() * 1000.0, load })
}

fn report(samples: &[[Vec<Sample>; 2]], ours: Side, programs: &Programs, window_ms: u64) -> Report {
    let rounds = samples.first().map_or(0, |cell| cell[0].len());
    let head = [
        "connections",
        "target",
        "requests/s",
        "vs axum",
        "CPU us/request",
        "vs axum",
        "p50 us",
        "p99 us",
        "vs axum",
        "busy",
        "loaded MiB",
    ];
    let mut report = Report::new(format!("http: POST {BODY}, medians [quartiles] of {rounds} rounds"), &head);
    for (cell, connections) in samples.iter().zip(CONNECTIONS) {
        let series = |side: usize, figure: fn(&Load) -> f64| -> Vec<f64> {
            cell[side].iter().map(|sample| figure(&sample.load)).collect()
        };
        let ratio = |figure: fn(&Load) -> f64| Spread::ratio(&series(1, figure), &series(0, figure));
        let rate = ratio(|load| load.requests_per_second);
        let cpu = ratio(|load| load.cpu_us);
        let p99 = ratio(|load| load.p99_us);
        for (side, name) in [Side::Axum, ours].map(Side::name).into_iter().enumerate() {
            let of = |figure: fn(&Load) -> f64| Spread::of(series(side, figure));
            let versus = |ratio: Spread| if side == 0 { "1".to_owned() } else { ratio.to_string() };
            report.row(vec![
                connections.to_string(),
                name.to_owned(),
                of(|load| load.requests_per_second).to_string(),
                versus(rate),
                of(|load| load.cpu_us).to_string(),
                versus(cpu),
                format!("{:.0}", of(|load| load.p50_us).median),
                format!("{:.0}", of(|load| load.p99_us).median),
                versus(p99),
                format!("{:.2}", of(|load| load.busy).median),
                format!("{:.1}", of(|load| load.loaded_mib).median),
            ]);
        }
        report.ratio_by("vs_axum", connections, rate.median);
        report.ratio_by("cpu_vs_axum", connections, cpu.median);
        report.ratio_by("p99_vs_axum", connections, p99.median);
    }
    let all = |side: usize, figure: fn(&Sample) -> f64| -> Vec<f64> {
        samples.iter().flat_map(|cell| &cell[side]).map(figure).collect()
    };
    let ready = [0, 1].map(|side| all(side, |sample| sample.ready_ms));
    let idle = [0, 1].map(|side| Spread::of(all(side, |sample| sample.load.idle_mib)));
    let later = Spread::difference(&ready[1], &ready[0]);
    report.ratio("idle_rss_mib", idle[1].median);
    report.ratio("ready_over_axum_ms", later.median);
    report.note(format!(
        "exec to the first 200 on /ping: axum {} ms, {} {} ms, later by {later} ms",
        Spread::of(ready[0].iter().copied()),
        ours.name(),
        Spread::of(ready[1].iter().copied()),
    ));
    report.note(format!("idle memory: axum {} MiB, {} {} MiB", idle[0], ours.name(), idle[1]));
    report.note(format!(
        "server on one core, load on another; closed loop; windows of {window_ms} ms; profile {}",
        programs.profile
    ));
    report
}
