//! A call from endpoint to endpoint: the generated client against bare reqwest that does the same to the same server.

use serde_json::Value;

use super::machine::{self, Cores};
use super::programs::Programs;
use super::report::Report;
use super::rounds::interleaved;
use super::server::Server;
use super::spread::Spread;
use super::{Options, probe};
use crate::Result;

const CALLERS: [usize; 2] = [1, 64];

/// What `calls` printed.
#[derive(Debug, Clone, Copy)]
struct Sample {
    calls_per_second: f64,
    cpu_us: f64,
    p50_us: f64,
    p99_us: f64,
    busy: f64,
}

impl Sample {
    fn read(printed: &Value) -> Result<Self> {
        let number = |key: &str| {
            printed[key].as_f64().ok_or_else(|| format!("`calls` did not print {key}: {printed}"))
        };
        Ok(Self {
            calls_per_second: number("calls_per_second")?,
            cpu_us: number("cpu_us")?,
            p50_us: number("p50_us")?,
            p99_us: number("p99_us")?,
            busy: number("busy")?,
        })
    }
}

/// Runs the benchmark.
///
/// # Errors
/// When a program cannot be started, or a call fails.
pub(crate) fn run(options: &Options, programs: &Programs) -> Result<Report> {
    let cores = Cores::choose();
    let ways = if options.against_itself { ["reqwest", "reqwest"] } else { ["reqwest", "flash"] };
    let rounds = options.rounds(30, 4);
    let window_ms = if options.quick { 400 } else { 1000 };
    let port = probe::free_port()?;
    let variables = [
        ("FLASH_ENDPOINT_TYPE", "lb".to_owned()),
        ("FLASH_RESOURCE_NAME", "http".to_owned()),
        ("FLASH_HOST", "127.0.0.1".to_owned()),
        ("PORT", port.to_string()),
    ];
    let mut server = Server::start(programs.path("flash_app")?, cores.other, &[], &variables)?;
    server.wait_until_ready(port, "/ping")?;
    let mut samples: Vec<[Vec<Sample>; 2]> = CALLERS.iter().map(|_| [Vec::new(), Vec::new()]).collect();
    for (round, order) in interleaved(ways.len(), rounds).enumerate() {
        eprint!("\rcall: round {} of {rounds} ", round + 1);
        for (cell, callers) in samples.iter_mut().zip(CALLERS) {
            for &at in &order {
                cell[at].push(measure(programs, cores, ways[at], port, callers, window_ms)?);
            }
        }
    }
    eprintln!();
    Ok(report(&samples, ways, programs, window_ms))
}

fn measure(
    programs: &Programs,
    cores: Cores,
    way: &str,
    port: u16,
    callers: usize,
    window_ms: u64,
) -> Result<Sample> {
    let url = format!("http://127.0.0.1:{port}");
    let mut command = machine::pinned(programs.path("calls")?, cores.measured);
    // Variables of this terminal, a proxy or an account for example, must not reach the program.
    command.env_clear().envs(std::env::vars_os().filter(|(name, _)| name == "PATH"));
    command.env("FLASH_RESOURCES_ENDPOINTS", serde_json::json!({ "http": url }).to_string());
    command.args(["--way", way, "--url", &url, "--callers", &callers.to_string()]);
    command.args(["--warm-up-ms", "150", "--window-ms", &window_ms.to_string()]);
    let printed = command.output()?;
    if !printed.status.success() {
        let words = String::from_utf8_lossy(&printed.stderr);
        return Err(format!("`calls` by {way} with {callers} callers failed: {words}").into());
    }
    Sample::read(&serde_json::from_slice(&printed.stdout)?)
}

fn report(samples: &[[Vec<Sample>; 2]], ways: [&str; 2], programs: &Programs, window_ms: u64) -> Report {
    let rounds = samples.first().map_or(0, |cell| cell[0].len());
    let head = [
        "callers",
        "client",
        "calls/s",
        "vs reqwest",
        "CPU us/call",
        "vs reqwest",
        "p50 us",
        "p99 us",
        "busy",
    ];
    let title = format!("call: POST of a small JSON object, medians [quartiles] of {rounds} rounds");
    let mut report = Report::new(title, &head);
    for (cell, callers) in samples.iter().zip(CALLERS) {
        let series =
            |way: usize, figure: fn(&Sample) -> f64| -> Vec<f64> { cell[way].iter().map(figure).collect() };
        let ratio = |figure: fn(&Sample) -> f64| Spread::ratio(&series(1, figure), &series(0, figure));
        let rate = ratio(|sample| sample.calls_per_second);
        let cpu = ratio(|sample| sample.cpu_us);
        for (way, name) in ways.into_iter().enumerate() {
            let of = |figure: fn(&Sample) -> f64| Spread::of(series(way, figure));
            let versus = |ratio: Spread| if way == 0 { "1".to_owned() } else { ratio.to_string() };
            report.row(vec![
                callers.to_string(),
                name.to_owned(),
                of(|sample| sample.calls_per_second).to_string(),
                versus(rate),
                of(|sample| sample.cpu_us).to_string(),
                versus(cpu),
                format!("{:.0}", of(|sample| sample.p50_us).median),
                format!("{:.0}", of(|sample| sample.p99_us).median),
                format!("{:.2}", of(|sample| sample.busy).median),
            ]);
        }
        report.ratio_by("vs_reqwest", callers, rate.median);
        report.ratio_by("cpu_vs_reqwest", callers, cpu.median);
    }
    report.note(format!(
        "callers on one core, the server that both call on another; windows of {window_ms} ms; profile {}",
        programs.profile
    ));
    report
}
