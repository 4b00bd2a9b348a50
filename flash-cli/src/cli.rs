//! The command line.

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum};

/// From Rust functions to serverless workers.
///
/// You write functions with `#[remote(resource = …)]`; `flash` builds them into one binary, ships it, and keeps one endpoint
/// for each resource that you declared. The same commands work on this machine and on RunPod.
#[derive(Debug, Parser)]
#[command(
    name = "flash",
    version,
    propagate_version = true,
    disable_help_subcommand = true,
    after_long_help = "\
A first app, on this machine and without an account:

    flash init my-app && cd my-app
    flash run                        every endpoint, rebuilt on every change
    flash platform start             a RunPod of your own, in the background
    flash deploy                     build, upload, provision, activate, verify
    flash call greet '{\"name\":\"you\"}'
    flash ps                         what runs
    flash undeploy --all --force     remove it again
    flash platform stop

Where a command goes: to the platform that RUNPOD_API_BASE_URL and its
siblings name, else to the local platform while it runs, else to RunPod.
`--platform local` and `--platform runpod` say it outright.

Every command takes --json: one JSON document on standard output, described
in docs/cli.md. Exit codes: 0 done and verified, 1 failed, 2 usage, 3 done but
not verified, 4 key missing or refused, 5 the app does not build or is invalid."
)]
pub struct Cli {
    /// Print one JSON document instead of text.
    #[arg(long, global = true)]
    pub json: bool,
    /// Print nothing but the result and errors.
    #[arg(long, short, global = true)]
    pub quiet: bool,
    /// Say more about what happens; twice for everything.
    #[arg(long, short, global = true, action = clap::ArgAction::Count)]
    pub verbose: u8,
    /// Where to go, whatever the environment says.
    #[arg(long, global = true, value_enum, env = "FLASH_PLATFORM")]
    pub platform: Option<Where>,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// A platform to talk to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Where {
    /// The local platform of this machine.
    Local,
    /// RunPod, or what the RUNPOD_*_URL variables name.
    Runpod,
}

/// What `flash` can do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Create a new app: a library with functions, a thin main, and this project's settings.
    #[command(after_long_help = include_str!("help/init.txt"))]
    Init(InitArgs),
    /// Build the app and pack it into an artifact.
    #[command(after_long_help = include_str!("help/build.txt"))]
    Build(BuildArgs),
    /// Serve what `flash build` packed, one process for each endpoint, until Ctrl-C.
    #[command(after_long_help = include_str!("help/preview.txt"))]
    Preview(PreviewArgs),
    /// Serve every endpoint on this machine; rebuild on every change.
    #[command(after_long_help = include_str!("help/run.txt"))]
    Run(RunArgs),
    /// Build, upload, provision, activate and verify; or one of its parts.
    #[command(after_long_help = include_str!("help/deploy.txt"))]
    Deploy(Box<DeployArgs>),
    /// Run an earlier build again.
    #[command(after_long_help = include_str!("help/rollback.txt"))]
    Rollback(RollbackArgs),
    /// Remove deployed endpoints.
    #[command(after_long_help = include_str!("help/undeploy.txt"))]
    Undeploy(UndeployArgs),
    /// Call a function of the deployed app.
    #[command(after_long_help = include_str!("help/call.txt"))]
    Call(CallArgs),
    /// Show endpoints and their workers.
    #[command(after_long_help = include_str!("help/ps.txt"))]
    Ps(TargetArgs),
    /// Show what workers print.
    #[command(after_long_help = include_str!("help/logs.txt"))]
    Logs(LogsArgs),
    /// Print the manifest of the app.
    #[command(after_long_help = include_str!("help/manifest.txt"))]
    Manifest(SourceArgs),
    /// Print the OpenAPI document of the app.
    #[command(after_long_help = include_str!("help/openapi.txt"))]
    Openapi(SourceArgs),
    /// List and inspect environments.
    #[command(subcommand, after_long_help = include_str!("help/env.txt"))]
    Env(EnvCommand),
    /// List and delete apps.
    #[command(subcommand, after_long_help = include_str!("help/app.txt"))]
    App(AppCommand),
    /// Find and remove what an interrupted deployment left behind, and temporary environments whose lease is over.
    #[command(after_long_help = include_str!("help/gc.txt"))]
    Gc(GcArgs),
    /// Check this machine, the project and the deployment; every finding ends with a command.
    #[command(after_long_help = include_str!("help/doctor.txt"))]
    Doctor(TargetArgs),
    /// Get a key of the account, approved in the console, and keep it in ~/.runpod/config.toml.
    #[command(after_long_help = include_str!("help/login.txt"))]
    Login,
    /// Start, stop and inspect the local platform.
    #[command(subcommand, after_long_help = include_str!("help/platform.txt"))]
    Platform(PlatformCommand),
    /// Write files for other ways to deploy.
    #[command(subcommand, after_long_help = include_str!("help/export.txt"))]
    Export(ExportCommand),
    /// Print completions for a shell.
    #[command(after_long_help = include_str!("help/completions.txt"))]
    Completions {
        /// The shell.
        shell: clap_complete::Shell,
    },
    /// Write man pages into a directory.
    #[command(after_long_help = include_str!("help/man.txt"))]
    Man {
        /// The directory.
        dir: PathBuf,
    },
    /// Removes a temporary environment when the process that made it ends, or its lease does.
    #[command(hide = true)]
    Guard(GuardArgs),
}

/// `flash init`
#[derive(Debug, Args)]
pub struct InitArgs {
    /// Directory of the new app; its last part is the name.
    pub dir: PathBuf,
    /// The `flash` crate to depend on, as a path. Default: the one this command was built from.
    #[arg(long)]
    pub flash: Option<PathBuf>,
}

/// Which package, and how it is built.
#[derive(Debug, Clone, Args)]
pub struct SourceArgs {
    /// Package of a workspace. Default: the one of the current directory.
    #[arg(long, short)]
    pub package: Option<String>,
    /// Binary of the package, where it has several.
    #[arg(long)]
    pub bin: Option<String>,
    /// Target triple; with a glibc version behind a dot, such as x86_64-unknown-linux-gnu.2.28, cargo-zigbuild builds it.
    #[arg(long)]
    pub target: Option<String>,
    /// Cargo profile. Default: release, with the paths of this machine removed.
    #[arg(long, env = "FLASH_PROFILE")]
    pub profile: Option<String>,
    /// Pack this binary instead of building one.
    #[arg(long, env = "FLASH_BINARY")]
    pub binary: Option<PathBuf>,
}

/// `flash build`
#[derive(Debug, Args)]
pub struct BuildArgs {
    /// What to build.
    #[command(flatten)]
    pub source: SourceArgs,
    /// Where to write the artifact. Default: .flash/artifact.tar.gz
    #[arg(long, short)]
    pub output: Option<PathBuf>,
    /// Keep the unpacked artifact in .flash/build.
    #[arg(long)]
    pub keep_build: bool,
    /// Serve what is in the artifact, one process for each endpoint, until Ctrl-C.
    #[arg(long)]
    pub preview: bool,
    /// Port of the preview.
    #[arg(long, default_value_t = 8000, requires = "preview")]
    pub port: u16,
}

/// `flash preview`
#[derive(Debug, Args)]
pub struct PreviewArgs {
    /// The artifact. Default: .flash/artifact.tar.gz
    pub artifact: Option<PathBuf>,
    /// Port.
    #[arg(long, default_value_t = 8000)]
    pub port: u16,
}

/// `flash run`
#[derive(Debug, Args)]
pub struct RunArgs {
    /// Package of a workspace.
    #[arg(long, short)]
    pub package: Option<String>,
    /// Binary of the package, where it has several.
    #[arg(long)]
    pub bin: Option<String>,
    /// Port. Default: FLASH_PORT, else 8888, else the next free one.
    #[arg(long)]
    pub port: Option<u16>,
    /// Build once and serve; watch nothing.
    #[arg(long)]
    pub no_watch: bool,
    /// Build with the release profile.
    #[arg(long)]
    pub release: bool,
    /// Deploy the endpoints, into an environment that is removed when this ends, and roll every edit out to them.
    #[arg(long, conflicts_with = "port")]
    pub auto_provision: bool,
    /// How long they may live: `90s`, `30m`, `2h`.
    #[arg(long, requires = "auto_provision", default_value = "2h", value_parser = lease)]
    pub ttl: Duration,
}

/// Which app and environment.
#[derive(Debug, Clone, Args)]
pub struct TargetArgs {
    /// App. Default: `app` of [package.metadata.flash], else the package's name.
    #[arg(long, short)]
    pub app_name: Option<String>,
    /// Environment. Default: the only one, else `production`.
    #[arg(long, short, env = "FLASH_ENV")]
    pub env: Option<String>,
}

/// `flash deploy`
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub struct DeployArgs {
    /// One part of a deployment.
    #[command(subcommand)]
    pub command: Option<DeployCommand>,
    /// Run this container image, which has the app in it, instead of an artifact; `ENDPOINT=IMAGE` for one endpoint.
    #[arg(long = "image", value_name = "[ENDPOINT=]IMAGE", conflicts_with = "temporary")]
    pub images: Vec<String>,
    /// What to build.
    #[command(flatten)]
    pub source: SourceArgs,
    /// Where to.
    #[command(flatten)]
    pub target: TargetArgs,
    /// How.
    #[command(flatten)]
    pub how: HowArgs,
    /// For how long.
    #[command(flatten)]
    pub temporary: TemporaryArgs,
}

/// A deployment that goes away again.
#[derive(Debug, Clone, Args)]
pub struct TemporaryArgs {
    /// Deploy into an environment of its own, and remove it when this command ends, however it ends.
    #[arg(long)]
    pub temporary: bool,
    /// How long it may live: `90s`, `30m`, `2h`.
    #[arg(long, requires = "temporary", default_value = "1h", value_parser = lease)]
    pub ttl: Duration,
    /// Call this function to see whether it works: its name and, behind a space, its arguments as JSON.
    #[arg(long = "call", requires = "temporary", value_name = "FUNCTION [JSON]")]
    pub calls: Vec<String>,
    /// Run this command while it is there, with FLASH_ENV set, and remove it afterwards. Its exit code becomes that of `flash`.
    #[arg(last = true, requires = "temporary", value_name = "COMMAND")]
    pub command_line: Vec<OsString>,
}

/// `flash guard`
#[derive(Debug, Args)]
pub struct GuardArgs {
    /// App.
    #[arg(long)]
    pub app_name: String,
    /// Environment, whose name says when it is over.
    #[arg(long)]
    pub env: String,
    /// The app was made for this environment, and goes with it.
    #[arg(long)]
    pub with_app: bool,
    /// Where its output goes: removed when all went well.
    #[arg(long)]
    pub log: Option<PathBuf>,
}

/// How long something may live: more than nothing, and at most a week.
fn lease(text: &str) -> Result<Duration, String> {
    let parsed: Result<jiff::SignedDuration, _> = text.parse();
    let long = parsed.map_err(|_| "it looks like 90s, 30m or 2h".to_owned())?;
    match Duration::try_from(long) {
        Ok(long) if !long.is_zero() && long <= Duration::from_secs(7 * 24 * 3600) => Ok(long),
        _ => Err("it is more than nothing and at most 7 days (168h)".to_owned()),
    }
}

/// How to deploy.
#[derive(Debug, Clone, Args)]
pub struct HowArgs {
    /// Show the plan and change nothing.
    #[arg(long)]
    pub dry_run: bool,
    /// Keep endpoints that the app no longer declares.
    #[arg(long)]
    pub keep_removed: bool,
    /// Endpoints that are provisioned at the same time.
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u16).range(1..=32))]
    pub parallel: u16,
    /// Do not wait until the endpoints answer.
    #[arg(long)]
    pub no_verify: bool,
    /// Seconds between two looks at an endpoint's health; there are 10.
    #[arg(long, default_value_t = 5, env = "FLASH_HEALTH_INTERVAL_SECS")]
    pub health_interval: u64,
    /// Refuse what could cost more than this: US dollars an hour, with every endpoint at its most workers.
    #[arg(long, value_name = "USD", value_parser = usd)]
    pub max_hourly: Option<f64>,
    /// Callers of HTTP endpoints must send a key, even where the app says `Auth::Public`.
    #[arg(long)]
    pub require_auth: bool,
}

impl HowArgs {
    /// As a deployment without an option, with what the environment says.
    ///
    /// # Errors
    /// A variable that makes no sense.
    pub fn usual() -> Result<Self, clap::Error> {
        #[derive(Parser)]
        struct Alone {
            #[command(flatten)]
            how: HowArgs,
        }
        Alone::try_parse_from(["flash"]).map(|alone| alone.how)
    }
}

fn usd(text: &str) -> Result<f64, String> {
    let amount = text.trim_start_matches('$').parse().ok();
    amount
        .filter(|usd: &f64| usd.is_finite() && *usd >= 0.0)
        .ok_or_else(|| "it is a number of US dollars, such as 2.50".to_owned())
}

/// Parts of a deployment.
#[derive(Debug, Subcommand)]
pub enum DeployCommand {
    /// Create an environment, and the app if it is the first.
    New {
        /// Name of the environment.
        name: String,
        /// App.
        #[arg(long, short)]
        app_name: Option<String>,
    },
    /// Deploy the artifact that `flash build` made.
    Send {
        /// Name of the environment.
        name: String,
        /// App.
        #[arg(long, short)]
        app_name: Option<String>,
        /// How.
        #[command(flatten)]
        how: HowArgs,
    },
    /// List the environments of the app.
    List {
        /// App.
        #[arg(long, short)]
        app_name: Option<String>,
    },
    /// Show one environment with its endpoints.
    Info {
        /// Name of the environment.
        name: String,
        /// App.
        #[arg(long, short)]
        app_name: Option<String>,
    },
    /// Delete an environment and its endpoints.
    Delete {
        /// Name of the environment.
        name: String,
        /// App.
        #[arg(long, short)]
        app_name: Option<String>,
        /// Do not ask.
        #[arg(long)]
        force: bool,
    },
}

/// `flash rollback`
#[derive(Debug, Args)]
pub struct RollbackArgs {
    /// Build to run again. Default: the one before the active one.
    pub build: Option<String>,
    /// Where.
    #[command(flatten)]
    pub target: TargetArgs,
    /// How.
    #[command(flatten)]
    pub how: HowArgs,
}

/// `flash undeploy`
#[derive(Debug, Args)]
pub struct UndeployArgs {
    /// Endpoint to remove, or `list` to show what is deployed.
    pub name: Option<String>,
    /// Remove every endpoint of the environment.
    #[arg(long, conflicts_with = "name")]
    pub all: bool,
    /// Do not ask.
    #[arg(long)]
    pub force: bool,
    /// Where.
    #[command(flatten)]
    pub target: TargetArgs,
}

/// `flash call`
#[derive(Debug, Args)]
pub struct CallArgs {
    /// The function.
    pub function: String,
    /// Its arguments by name, as a JSON object; `-` reads standard input.
    #[arg(default_value = "{}")]
    pub input: String,
    /// Seconds to wait for the result.
    #[arg(long, default_value_t = 300)]
    pub timeout: u64,
    /// Where.
    #[command(flatten)]
    pub target: TargetArgs,
}

/// `flash logs`
#[derive(Debug, Args)]
pub struct LogsArgs {
    /// Endpoint. Default: all.
    pub endpoint: Option<String>,
    /// Go on until Ctrl-C.
    #[arg(long, short)]
    pub follow: bool,
    /// Lines of each worker to begin with.
    #[arg(long, short = 'n', default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=5000))]
    pub tail: u32,
    /// Where.
    #[command(flatten)]
    pub target: TargetArgs,
}

/// `flash env`
#[derive(Debug, Subcommand)]
pub enum EnvCommand {
    /// List the environments of the app.
    List {
        /// App.
        #[arg(long, short)]
        app_name: Option<String>,
    },
    /// Show one environment with its endpoints.
    Info {
        /// Name of the environment.
        name: String,
        /// App.
        #[arg(long, short)]
        app_name: Option<String>,
    },
    /// Delete an environment and its endpoints.
    Delete {
        /// Name of the environment.
        name: String,
        /// App.
        #[arg(long, short)]
        app_name: Option<String>,
        /// Do not ask.
        #[arg(long)]
        force: bool,
    },
}

/// `flash app`
#[derive(Debug, Subcommand)]
pub enum AppCommand {
    /// List the apps of the account.
    List,
    /// Delete an app that has no environment left.
    Delete {
        /// Name of the app.
        name: String,
        /// Do not ask.
        #[arg(long)]
        force: bool,
    },
}

/// `flash gc`
#[derive(Debug, Args)]
pub struct GcArgs {
    /// Show what would be removed.
    #[arg(long)]
    pub dry_run: bool,
    /// Do not ask.
    #[arg(long)]
    pub force: bool,
    /// Where.
    #[command(flatten)]
    pub target: TargetArgs,
}

/// `flash platform`
#[derive(Debug, Subcommand)]
pub enum PlatformCommand {
    /// Start it in the background.
    Start {
        /// Port. Default: any free one.
        #[arg(long, default_value_t = 0)]
        port: u16,
    },
    /// Stop it and its workers.
    Stop,
    /// Show whether it runs, and where.
    Status,
    /// Make an image of this app for the local platform, which has no containers: what `docker build` and `docker push` are
    /// for RunPod.
    Image {
        /// The image's name, such as registry.example/shop:1.
        name: String,
        /// What to build.
        #[command(flatten)]
        source: SourceArgs,
    },
    /// List the images that the local platform has.
    Images,
    /// Print every limit, time and switch of the platform, with its source and how sure it is.
    Parity,
    /// Go on with a data directory that lost something: removes jobs that cannot be read any more.
    Repair {
        /// The directory. Default: that of the local platform.
        #[arg(long)]
        data_dir: Option<PathBuf>,
    },
    /// Be the platform, in the foreground.
    #[command(hide = true)]
    Serve {
        /// Port.
        #[arg(long, default_value_t = 0)]
        port: u16,
    },
}

/// `flash export`
#[derive(Debug, Subcommand)]
pub enum ExportCommand {
    /// A multi-stage Dockerfile for each kind of hardware that the app uses.
    Docker {
        /// Where to write them. Default: .flash/docker
        #[arg(long, short)]
        output: Option<PathBuf>,
        /// What to build.
        #[command(flatten)]
        source: SourceArgs,
    },
}
