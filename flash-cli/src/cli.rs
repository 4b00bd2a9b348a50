//! The command line.

use std::path::PathBuf;

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
    Init(InitArgs),
    /// Build the app and pack it into an artifact.
    Build(BuildArgs),
    /// Serve every endpoint on this machine; rebuild on every change.
    Run(RunArgs),
    /// Build, upload, provision, activate and verify; or one of its parts.
    Deploy(DeployArgs),
    /// Run an earlier build again.
    Rollback(RollbackArgs),
    /// Remove deployed endpoints.
    Undeploy(UndeployArgs),
    /// Call a function of the deployed app.
    Call(CallArgs),
    /// Show endpoints and their workers.
    Ps(TargetArgs),
    /// Show what workers print.
    Logs(LogsArgs),
    /// Print the manifest of the app.
    Manifest(SourceArgs),
    /// Print the OpenAPI document of the app.
    Openapi(SourceArgs),
    /// List and inspect environments.
    #[command(subcommand)]
    Env(EnvCommand),
    /// List and delete apps.
    #[command(subcommand)]
    App(AppCommand),
    /// Find endpoints that an interrupted deployment left behind.
    Gc(GcArgs),
    /// Check this machine, the project and the deployment; every finding ends with a command.
    Doctor(TargetArgs),
    /// Get a key of the account, approved in the console, and keep it in ~/.runpod/config.toml.
    Login,
    /// Start, stop and inspect the local platform.
    #[command(subcommand)]
    Platform(PlatformCommand),
    /// Write files for other ways to deploy.
    #[command(subcommand)]
    Export(ExportCommand),
    /// Print completions for a shell.
    Completions {
        /// The shell.
        shell: clap_complete::Shell,
    },
    /// Write man pages into a directory.
    Man {
        /// The directory.
        dir: PathBuf,
    },
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
    /// What to build.
    #[command(flatten)]
    pub source: SourceArgs,
    /// Where to.
    #[command(flatten)]
    pub target: TargetArgs,
    /// How.
    #[command(flatten)]
    pub how: HowArgs,
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
    /// Callers of HTTP endpoints must send a key, even where the app says `Auth::Public`.
    #[arg(long)]
    pub require_auth: bool,
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
