use std::process::ExitCode;

use clap::Parser;
use clap::error::ErrorKind;

use crate::cli::Cli;
use crate::command;
use crate::failure::{Failure, exit};
use crate::output::Output;

/// The whole `main` of `flash`.
#[must_use]
pub fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            let asked = matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion);
            // There is nobody left to tell that this failed.
            let _ = error.print();
            return ExitCode::from(if asked { exit::OK } else { exit::USAGE });
        }
    };
    let output = Output { json: cli.json, quiet: cli.quiet };
    log(cli.verbose);
    match run(cli, output) {
        Ok(code) => ExitCode::from(code),
        Err(failure) => {
            output.failure(&failure);
            ExitCode::from(failure.code)
        }
    }
}

fn run(cli: Cli, output: Output) -> Result<u8, Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::new(format!("the runtime cannot start: {error}")))?;
    let result = runtime.block_on(command::run(cli, output));
    runtime.shutdown_background();
    result
}

fn log(verbose: u8) {
    use tracing_subscriber::filter::Targets;
    use tracing_subscriber::layer::SubscriberExt;
    use tracing_subscriber::util::SubscriberInitExt;
    let level = match verbose {
        0 => "warn",
        1 => "info,flash_cli=debug,flash_platform=debug",
        _ => "debug",
    };
    let from_env = ["RUST_LOG", "RUNPOD_LOG_LEVEL"].iter().find_map(|name| std::env::var(name).ok());
    let filter = from_env.filter(|text| !text.trim().is_empty()).unwrap_or_else(|| level.to_owned());
    // A filter that makes no sense is no reason to refuse a deployment.
    let filter: Targets = filter.parse().unwrap_or_else(|_| Targets::new());
    let layer = tracing_subscriber::fmt::layer().with_writer(std::io::stderr).without_time();
    let _ = tracing_subscriber::registry().with(layer).with(filter).try_init();
}
