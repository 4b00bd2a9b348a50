//! What each command does.

mod app;
mod build;
mod call;
mod context;
mod deploy;
mod doctor;
mod environment;
mod export;
mod gc;
mod guard;
mod images;
mod init;
mod interrupt;
mod live;
mod login;
mod logs;
mod manifest;
mod platform;
mod preview;
mod ps;
mod rollback;
mod run;
mod serve;
mod serving;
mod shell;
mod temporary;
mod undeploy;
mod waiting;
mod watch;

use crate::cli::{Cli, Command};
use crate::failure::Failure;
use crate::output::Output;

/// Runs a command and gives its exit code.
pub(crate) async fn run(cli: Cli, output: Output) -> Result<u8, Failure> {
    let to = cli.platform;
    match cli.command {
        Command::Init(args) => init::run(&args, output),
        Command::Build(args) => build::run(&args, output).await,
        Command::Preview(args) => preview::run(&args, output).await,
        Command::Run(args) => run::run(&args, to, output).await,
        Command::Export(command) => export::run(&command, output),
        Command::Deploy(args) => deploy::run(*args, to, output).await,
        Command::Rollback(args) => rollback::run(args, to, output).await,
        Command::Undeploy(args) => undeploy::run(args, to, output).await,
        Command::Call(args) => call::run(args, to, output).await,
        Command::Ps(args) => ps::run(&args, to, output).await,
        Command::Logs(args) => logs::run(&args, to, output).await,
        Command::Manifest(args) => manifest::manifest(&args, output),
        Command::Openapi(args) => manifest::openapi(&args, output),
        Command::Env(command) => environment::run(command, to, output).await,
        Command::App(command) => app::run(command, to, output).await,
        Command::Gc(args) => gc::run(args, to, output).await,
        Command::Doctor(args) => doctor::run(&args, to, output).await,
        Command::Guard(args) => guard::run(args, to, output).await,
        Command::Login => login::run(output).await,
        Command::Platform(command) => platform::run(command, output).await,
        Command::Completions { shell } => shell::completions(shell, output),
        Command::Man { dir } => shell::man(&dir, output),
    }
}
