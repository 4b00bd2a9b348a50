//! The command line, read by hand: three commands and a few flags need no parser.

use crate::bench::{self, Options};

/// What was asked for.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Task {
    /// Print this and do nothing.
    Help(String),
    /// The gate.
    Verify {
        /// With the full number of cases.
        deep: bool,
    },
    /// Installs what the tests need.
    Setup,
    /// One benchmark.
    Bench {
        /// A name of the benchmarks' list.
        name: String,
        /// How to run it.
        options: Options,
    },
}

const USAGE: &str = "\
Usage: cargo xtask <command>

  verify [--deep]       format, clippy, tests, doc tests, documentation, licences
                        Counted tests (seeded schedules, property tests) read FLASH_TEST_SCALE, the percentage of their full
                        number of cases; it is 1 unless you set it, and 100 with --deep.
  setup                 installs what the tests need beside Rust: a Python environment under target/tools, Debian packages
                        where this is root; `verify` does it too
  bench NAME [flags]    one benchmark against its peers, in interleaved runs
    --quick             few short rounds of a cheaper build: shows that it works, not who is faster
    --json              one JSON object of ratios on standard output (the table goes to standard error)
    --rounds N          another number of rounds
    --against-itself    the peer on both sides: shows the noise floor of this machine
";

/// The text of `cargo xtask help`.
pub(crate) fn usage() -> String {
    format!("{USAGE}\nBenchmarks:\n{}", bench::list())
}

/// Reads the words after `cargo xtask`.
///
/// # Errors
/// When they are no known command; the message shows how to use it.
pub(crate) fn parse(words: &[String]) -> Result<Task, String> {
    let mut words = words.iter().map(String::as_str);
    match words.next() {
        None | Some("help" | "--help" | "-h") => Ok(Task::Help(usage())),
        Some("verify") => parse_verify(words),
        Some("setup") => parse_setup(words),
        Some("bench") => parse_bench(words),
        Some(other) => Err(format!("unknown command `{other}`\n\n{}", usage())),
    }
}

fn parse_verify<'a>(words: impl Iterator<Item = &'a str>) -> Result<Task, String> {
    let mut deep = false;
    for word in words {
        match word {
            "--deep" => deep = true,
            "--help" | "-h" => return Ok(Task::Help(usage())),
            other => return Err(format!("`verify` does not know `{other}`\n\n{}", usage())),
        }
    }
    Ok(Task::Verify { deep })
}

fn parse_setup<'a>(mut words: impl Iterator<Item = &'a str>) -> Result<Task, String> {
    match words.next() {
        None => Ok(Task::Setup),
        Some("--help" | "-h") => Ok(Task::Help(usage())),
        Some(other) => Err(format!("`setup` does not know `{other}`\n\n{}", usage())),
    }
}

fn parse_bench<'a>(mut words: impl Iterator<Item = &'a str>) -> Result<Task, String> {
    let (mut name, mut options) = (None, Options::default());
    while let Some(word) = words.next() {
        match word {
            "--help" | "-h" => return Ok(Task::Help(usage())),
            "--quick" => options.quick = true,
            "--json" => options.json = true,
            "--against-itself" => options.against_itself = true,
            "--rounds" => {
                let number = words.next().and_then(|word| word.parse().ok()).filter(|rounds| *rounds > 0);
                options.rounds = Some(number.ok_or("--rounds needs a number of at least 1")?);
            }
            flag if flag.starts_with('-') => {
                return Err(format!("`bench` does not know `{flag}`\n\n{}", usage()));
            }
            word if name.is_none() => name = Some(word.to_owned()),
            word => return Err(format!("one benchmark at a time, so what is `{word}`?\n\n{}", usage())),
        }
    }
    let name = name.ok_or_else(|| format!("which benchmark?\n{}", bench::list()))?;
    if bench::known(&name) { Ok(Task::Bench { name, options }) } else { Err(bench::unknown(&name)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(line: &str) -> Result<Task, String> {
        parse(&line.split_whitespace().map(str::to_owned).collect::<Vec<_>>())
    }

    #[test]
    fn commands_and_flags_are_read() {
        assert_eq!(parsed("verify"), Ok(Task::Verify { deep: false }));
        assert_eq!(parsed("verify --deep"), Ok(Task::Verify { deep: true }));
        assert_eq!(parsed("setup"), Ok(Task::Setup));
        let options = Options { quick: true, json: true, against_itself: false, rounds: Some(3) };
        assert_eq!(
            parsed("bench http --quick --json --rounds 3"),
            Ok(Task::Bench { name: "http".to_owned(), options })
        );
    }

    #[test]
    fn what_is_not_known_is_named() {
        assert!(parsed("verify --fast").expect_err("no such flag").contains("--fast"));
        assert!(parsed("bench http --rounds 0").expect_err("no rounds").contains("--rounds"));
        let error = parsed("bench htpp").expect_err("no such benchmark");
        assert!(error.contains("htpp") && error.contains("queue"), "{error}");
        assert!(parsed("bench").expect_err("no name").contains("http"));
        assert!(parsed("deploy").expect_err("no such command").contains("Usage"));
    }
}
