//! The project's tasks: `cargo xtask verify` is the whole gate, `cargo xtask bench` the one door to every benchmark.
//!
//! The package has one small dependency, because everybody who works on the project compiles it first.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a command line program talks to its terminal")]

mod bench;
mod cli;
mod setup;
mod step;
mod tool;
mod verify;

use std::process::ExitCode;

/// What goes wrong in a task: a message for the person at the terminal.
type Error = Box<dyn std::error::Error>;
type Result<T, E = Error> = std::result::Result<T, E>;

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let done = match cli::parse(&words) {
        Ok(cli::Task::Help(text)) => {
            print!("{text}");
            Ok(())
        }
        Ok(cli::Task::Verify { deep }) => verify::run(deep),
        Ok(cli::Task::Setup) => setup::run(&mut |what| println!("installing {what}")).map(|()| {
            println!("everything that the tests need is there");
        }),
        Ok(cli::Task::Bench { name, options }) => bench::run(&name, &options),
        Err(usage) => Err(usage.into()),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}
