//! What one remote function costs the compiler, against the same function with a derived serde struct for its arguments.
//!
//! Three forms of one library are compiled in turns, with the same dependencies: without functions, with many remote
//! functions, and with as many functions that somebody would write by hand. Differences to the first are the cost.

use std::fmt::Write as _;

use super::super::Options;
use super::super::report::Report;
use super::super::rounds::interleaved;
use super::super::spread::Spread;
use super::package::{Folder, Kind, Package};
use crate::Result;

/// Functions in the library, each with four parameters.
const FUNCTIONS: usize = 300;

/// Most CPU per function: milliseconds of `cargo check` and of `cargo build`, and the part of what the serde form costs.
const TARGETS: (f64, f64, f64) = (15.0, 40.0, 0.5);

/// Runs the comparison alone.
///
/// # Errors
/// When a package cannot be written, fetched or built.
pub(crate) fn run(options: &Options) -> Result<Report> {
    let folder = Folder::create()?;
    let mut report = Report::new("functions: CPU of the compiler for one function", &[]);
    add(options, &folder, &mut report)?;
    Ok(report)
}

/// Adds the comparison to a report.
///
/// # Errors
/// When a package cannot be written, fetched or built.
pub(super) fn add(options: &Options, folder: &Folder, report: &mut Report) -> Result<()> {
    let package = Package::write(Kind::Library, &folder.path().join("functions"))?;
    let rounds = options.rounds(7, 3);
    let forms: [fn(usize) -> String; 3] = [no_functions, remote_functions, serde_functions];
    let mut worst: f64 = 0.0;
    for (what, key, target) in
        [("check", "check_ms_per_fn", TARGETS.0), ("build", "build_ms_per_fn", TARGETS.1)]
    {
        eprintln!("compile: {FUNCTIONS} functions, cargo {what}");
        let mut used = [Vec::new(), Vec::new(), Vec::new()];
        // The dependencies, before anything is measured.
        package.cargo(&[what])?;
        for (round, order) in interleaved(forms.len(), rounds).enumerate() {
            for place in order {
                package.write_source(&forms[place](round + 1))?;
                used[place].push(package.cargo(&[what])?.cpu);
            }
        }
        let per_function = |form: usize| -> Vec<f64> {
            let more = used[form].iter().zip(&used[0]).map(|(with, without)| with - without);
            more.map(|secs| secs * 1000.0 / FUNCTIONS as f64).collect()
        };
        let (ours, serde) = (per_function(1), per_function(2));
        let (ms, ratio) = (Spread::of(ours.iter().copied()), Spread::ratio(&ours, &serde));
        report.ratio(key, ms.median);
        worst = worst.max(ratio.median);
        report.note(format!(
            "{what}: {ms} ms of CPU for one function (at most {target}), {ratio} of a function with a derived struct ({} ms)",
            Spread::of(serde)
        ));
    }
    report.ratio("vs_serde_struct", worst);
    report.note(format!(
        "{FUNCTIONS} functions of four parameters, not incremental, {rounds} rounds; at most {} of the serde form: {worst:.2}",
        TARGETS.2
    ));
    Ok(())
}

fn no_functions(literal: usize) -> String {
    format!("pub use flash;\npub use serde;\npub use serde_json;\npub const LITERAL: usize = {literal};\n")
}

const PARAMETERS: &str = "text: String, count: u32, scale: Option<f64>, tags: Vec<String>";
const NAMES: &str = "text, count, scale, tags";

fn body(literal: usize) -> String {
    format!("{{\n    Ok(format!(\"{{text}} {{count}} {{scale:?}} {{tags:?}} {literal}\"))\n}}\n")
}

fn remote_functions(literal: usize) -> String {
    let mut source = no_functions(literal);
    source.push_str(
        "use flash::prelude::*;\npub static CPU: Endpoint = Endpoint::queue(\"many\").cpu(&[\"any\"]);\n",
    );
    for number in 0..FUNCTIONS {
        // Writing to a `String` cannot fail.
        let _ = write!(
            source,
            "\n#[remote(resource = CPU)]\npub async fn function_{number}({PARAMETERS}) -> Result<String, flash::Error> {}",
            body(literal)
        );
    }
    source
}

/// The least that does the same: decodes the arguments, calls the function, encodes its result, and can be called by
/// name and by somebody who sends the arguments.
fn serde_functions(literal: usize) -> String {
    let mut source = no_functions(literal);
    source.push_str(
        "use serde::{Deserialize, Serialize};\n\
         pub type Job = std::pin::Pin<Box<dyn Future<Output = Result<Vec<u8>, String>> + Send>>;\n\
         pub struct Entry(pub &'static str, pub fn(Vec<u8>) -> Job);\n",
    );
    let mut table = "\npub static FUNCTIONS: &[Entry] = &[\n".to_owned();
    for number in 0..FUNCTIONS {
        let arguments =
            NAMES.split(", ").map(|name| format!("arguments.{name}")).collect::<Vec<_>>().join(", ");
        let _ = write!(
            source,
            "\npub async fn function_{number}({PARAMETERS}) -> Result<String, String> {}\n\
             #[derive(Serialize, Deserialize)]\n#[serde(deny_unknown_fields)]\nstruct Arguments{number} {{ {PARAMETERS} }}\n\n\
             fn run{number}(body: Vec<u8>) -> Job {{\n    Box::pin(async move {{\n        \
             let arguments: Arguments{number} = serde_json::from_slice(&body).map_err(|error| error.to_string())?;\n        \
             let result = function_{number}({arguments}).await?;\n        \
             serde_json::to_vec(&result).map_err(|error| error.to_string())\n    }})\n}}\n\n\
             pub fn call{number}({PARAMETERS}) -> serde_json::Result<Vec<u8>> {{\n    \
             serde_json::to_vec(&Arguments{number} {{ {NAMES} }})\n}}\n",
            body(literal)
        );
        let _ = writeln!(table, "    Entry(\"function_{number}\", run{number}),");
    }
    table.push_str("];\n");
    source + &table
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_forms_have_the_same_functions() {
        let (ours, serde) = (remote_functions(7), serde_functions(7));
        let functions = |source: &str| source.matches("pub async fn function_").count();
        assert_eq!((functions(&ours), functions(&serde)), (FUNCTIONS, FUNCTIONS));
        assert_eq!(ours.matches(PARAMETERS).count(), FUNCTIONS);
        assert!(serde.contains("Entry(\"function_299\", run299),"));
    }
}
