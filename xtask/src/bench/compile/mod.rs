//! What the compiler costs a user: the smallest app against its external crates alone, and against a hand-written program.
//!
//! CPU seconds are compared, because seconds on the clock depend on what else the machine does.

mod counts;
mod functions;
mod package;

pub(super) use functions::run as run_functions;

use super::Options;
use super::cpu::Used;
use super::report::Report;
use super::rounds::interleaved;
use super::spread::Spread;
use crate::Result;
pub(super) use package::{Folder, Kind, Package};

/// What is built, by the place of its figures in a series.
#[derive(Debug, Clone, Copy)]
enum Part {
    Clean,
    EditBuild,
    EditCheck,
    Release,
}

const PARTS: [(Part, &str); 4] = [
    (Part::Clean, "clean"),
    (Part::EditBuild, "edit_build"),
    (Part::EditCheck, "edit_check"),
    (Part::Release, "release"),
];

/// CPU and clock seconds of one program's builds.
#[derive(Debug, Default)]
struct Series {
    used: [Vec<Used>; PARTS.len()],
}

impl Series {
    fn add(&mut self, part: Part, used: Used) {
        self.used[part as usize].push(used);
    }

    fn of(&self, part: Part) -> &[Used] {
        &self.used[part as usize]
    }
}

/// Runs the benchmark.
///
/// # Errors
/// When a package cannot be written, fetched or built.
pub(crate) fn run(options: &Options) -> Result<Report> {
    let ours = if options.against_itself { Kind::External } else { Kind::Flash };
    let folder = Folder::create()?;
    let mut packages = Vec::new();
    for (place, kind) in [ours, Kind::External, Kind::HandWritten].into_iter().enumerate() {
        packages.push(Package::write(kind, &folder.path().join(place.to_string()))?);
    }
    let rounds = options.rounds(3, 1);
    let edits = if options.quick { 3 } else { 7 };

    let mut series: Vec<Series> = packages.iter().map(|_| Series::default()).collect();
    for (round, order) in interleaved(packages.len(), rounds).enumerate() {
        let say = |what: &str| eprintln!("compile: round {} of {rounds}, {what}", round + 1);
        say("clean builds");
        for &place in &order {
            packages[place].clean()?;
            series[place].add(Part::Clean, packages[place].cargo(&["build"])?);
        }
        say("edits");
        for order in interleaved(packages.len(), edits) {
            for place in order {
                packages[place].edit()?;
                series[place].add(Part::EditBuild, packages[place].cargo(&["build"])?);
            }
        }
        for &place in &order {
            packages[place].cargo(&["check"])?;
        }
        for order in interleaved(packages.len(), edits) {
            for place in order {
                packages[place].edit()?;
                series[place].add(Part::EditCheck, packages[place].cargo(&["check"])?);
            }
        }
        if !options.quick {
            say("clean release builds");
            for &place in &order {
                packages[place].clean()?;
                series[place].add(Part::Release, packages[place].cargo(&["build", "--release"])?);
            }
        }
    }
    let mut report = report(&packages, &series, rounds);
    if ours == Kind::Flash {
        functions::add(options, &folder, &mut report)?;
    }
    counts::add(&mut report)?;
    Ok(report)
}

fn report(packages: &[Package], series: &[Series], rounds: usize) -> Report {
    let mut report = Report::new(
        format!("compile: CPU seconds (seconds on the clock), medians of {rounds} rounds"),
        &["program", "clean build", "edit, build", "edit, check", "clean release build"],
    );
    for (package, series) in packages.iter().zip(series) {
        let cell = |used: &[Used]| {
            let of = |figure: fn(&Used) -> f64| Spread::of(used.iter().map(figure)).median;
            if used.is_empty() {
                "-".to_owned()
            } else {
                format!("{:.2} ({:.2})", of(|used| used.cpu), of(|used| used.clock))
            }
        };
        let cells = PARTS.map(|(part, _)| cell(series.of(part)));
        report.row([package.kind().name().to_owned()].into_iter().chain(cells).collect());
    }
    for (part, part_name) in PARTS {
        if series[0].of(part).is_empty() {
            continue;
        }
        for (peer, name) in [(1, "external"), (2, "axum_reqwest_ring")] {
            let cpu = |place: usize| series[place].of(part).iter().map(|used| used.cpu).collect::<Vec<_>>();
            let ratio = Spread::ratio(&cpu(0), &cpu(peer));
            report.ratio(&format!("{part_name}_vs_{name}"), ratio.median);
            report.note(format!("{part_name}: {ratio} times the CPU of {}", packages[peer].kind().name()));
        }
    }
    report
}
