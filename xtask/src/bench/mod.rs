//! The one door to every benchmark: builds the programs, runs them in interleaved rounds, compares their figures.

mod call;
mod compile;
mod cpu;
mod deploy;
mod faults;
mod guards;
mod http;
mod machine;
mod peers;
mod platform;
mod probe;
mod programs;
mod queue;
mod report;
mod rounds;
mod server;
mod spread;

use std::fmt::Write as _;

use crate::Result;
use programs::Programs;
use report::Report;

/// How to run a benchmark.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(crate) struct Options {
    /// Few short rounds of a cheaper build.
    pub(crate) quick: bool,
    /// Print one JSON object.
    pub(crate) json: bool,
    /// The peer on both sides.
    pub(crate) against_itself: bool,
    /// Another number of rounds than the benchmark's own.
    pub(crate) rounds: Option<usize>,
}

impl Options {
    /// The number of rounds: as asked for, else one of the benchmark's own two.
    fn rounds(&self, full: usize, quick: usize) -> usize {
        self.rounds.unwrap_or(if self.quick { quick } else { full })
    }
}

/// From this many cores of other work on, rates say little: a program with two threads is given more of a contended core than one
/// with a single thread.
const BUSY: f64 = 0.1;

struct Bench {
    name: &'static str,
    about: &'static str,
    run: Run,
}

/// How a benchmark is run.
enum Run {
    /// With the programs of the benchmark package, which are built before anything is measured.
    Programs(fn(&Options, &Programs) -> Result<Report>),
    /// As `Programs`, built with the clients of the servers that it is compared with.
    Peers(fn(&Options, &Programs) -> Result<Report>),
    /// As `Programs`, built with the web framework that it is compared with.
    Frameworks(fn(&Options, &Programs) -> Result<Report>),
    /// It makes everything itself.
    Alone(fn(&Options) -> Result<Report>),
}

const BENCHES: &[Bench] = &[
    Bench {
        name: "http",
        about: "JSON echo by POST against bare axum, FastAPI and dropshot, small and large bodies",
        run: Run::Frameworks(http::run),
    },
    Bench {
        name: "call",
        about: "calls from endpoint to endpoint, the generated client against bare reqwest",
        run: Run::Programs(call::run),
    },
    Bench {
        name: "queue",
        about: "no-op jobs against bare tokio and reqwest loops",
        run: Run::Programs(queue::run),
    },
    Bench {
        name: "faults",
        about: "time limits: a stopped job, a caller that goes away, an idle worker, a worker that is told to end",
        run: Run::Programs(faults::run),
    },
    Bench {
        name: "platform",
        about: "the local platform's queue against Redis, PostgreSQL and plain queues (installs them)",
        run: Run::Peers(platform::run),
    },
    Bench {
        name: "deploy",
        about: "the command `flash` against cargo: a deployment and an edit; the smallest artifact, a worker's start",
        run: Run::Programs(deploy::run),
    },
    Bench {
        name: "compile",
        about: "build and edit time of the smallest app against its dependencies",
        run: Run::Alone(compile::run),
    },
    Bench {
        name: "functions",
        about: "the part of `compile` that says what one remote function costs",
        run: Run::Alone(compile::run_functions),
    },
];

/// The benchmarks with what they measure, one on a line.
pub(crate) fn list() -> String {
    let mut list = String::new();
    for bench in BENCHES {
        let _ = writeln!(list, "  {:<21} {}", bench.name, bench.about);
    }
    list
}

/// Whether there is a benchmark of this name.
pub(crate) fn known(name: &str) -> bool {
    BENCHES.iter().any(|bench| bench.name == name)
}

/// What to say about a name that no benchmark has.
pub(crate) fn unknown(name: &str) -> String {
    format!("unknown benchmark `{name}`, known are:\n{}", list())
}

/// Runs a benchmark and prints what it found.
///
/// # Errors
/// When no benchmark has this name, when a program cannot be built or started, or when an answer was wrong.
pub(crate) fn run(name: &str, options: &Options) -> Result<()> {
    let bench = BENCHES.iter().find(|bench| bench.name == name).ok_or_else(|| unknown(name))?;
    let (others, mut report) = match bench.run {
        Run::Programs(run) => {
            let programs = Programs::build(options, &[])?;
            (cpu::Others::watch()?, run(options, &programs)?)
        }
        Run::Peers(run) => {
            let programs = Programs::build(options, &["peers"])?;
            (cpu::Others::watch()?, run(options, &programs)?)
        }
        Run::Frameworks(run) => {
            let programs = Programs::build(options, &["dropshot"])?;
            (cpu::Others::watch()?, run(options, &programs)?)
        }
        Run::Alone(run) => (cpu::Others::watch()?, run(options)?),
    };
    let others = others.cores()?;
    report.note(format!("{}; other work on it meanwhile: {others:.2} cores", machine::description()));
    if others > BUSY {
        report.note(
            "busy machine: trust CPU per request, job or build; rates and latencies depend on who got a core",
        );
    }
    if options.quick {
        report.note("quick: too few rounds for a claim");
    }
    if options.json {
        eprint!("{}", report.text());
        println!("{}", report.ratios());
    } else {
        print!("{}", report.text());
    }
    Ok(())
}
