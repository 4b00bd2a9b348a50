use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

use flash_platform::control::Platform;

use super::context::Context;
use super::undeploy::remove_endpoints;
use crate::cli::{GuardArgs, TargetArgs, Where};
use crate::connect::Connection;
use crate::deploy::{Identity, lease_of, left_until};
use crate::failure::{During, Failure, exit};
use crate::output::Output;

/// How often an environment is looked at: what was on its way when its maker was killed arrives late.
const LOOKS: u32 = 10;
/// Between two of them.
const PAUSE: Duration = Duration::from_millis(500);

/// The other process of a temporary deployment: it removes the environment when this process ends, in whatever way.
///
/// It holds the other end of a pipe. The kernel closes that when the process is gone, so nothing has to be told, and a
/// signal that ends this process does not reach that one.
#[derive(Debug)]
pub(super) struct Guard {
    child: Child,
    log: PathBuf,
}

impl Guard {
    /// Starts it, before anything is made that it has to remove.
    pub(super) fn start(
        connection: &Connection,
        id: &Identity,
        with_app: bool,
        flash_dir: &Path,
    ) -> Result<Self, Failure> {
        use std::os::unix::process::CommandExt as _;
        let program = std::env::current_exe().during("this program cannot find itself")?;
        let log = flash_dir.join(format!("{}.log", id.env));
        let what = || format!("`{}` cannot be written", log.display());
        // It outlives this process and its terminal, so it cannot speak there.
        let file = std::fs::File::create(&log).during(what())?;
        let also = file.try_clone().during(what())?;
        let mut command = Command::new(program);
        command.args(["guard", "--app-name", &id.app, "--env", &id.env]);
        command.args(["--platform", if connection.is_local { "local" } else { "runpod" }]);
        command.arg("--log").arg(&log);
        if with_app {
            command.arg("--with-app");
        }
        // Ctrl-C in this terminal is not meant for it.
        let child = command.stdin(Stdio::piped()).stdout(file).stderr(also).process_group(0).spawn();
        Ok(Self { child: child.during("the process that removes the deployment cannot be started")?, log })
    }

    /// Lets it remove the environment now, and waits until nothing is left.
    pub(super) async fn end(mut self) -> Result<(), Failure> {
        drop(self.child.stdin.take());
        let log = self.log.clone();
        let mut child = self.child;
        let ended: std::io::Result<ExitStatus> =
            tokio::task::spawn_blocking(move || child.wait()).await.during("waiting broke off")?;
        let status = ended.during("the process that removes the deployment cannot be waited for")?;
        if status.success() {
            return Ok(());
        }
        let said = std::fs::read_to_string(&log).unwrap_or_default();
        Err(Failure::new(format!("the temporary deployment was not removed\n{}", said.trim()))
            .help("run `flash gc --force` when its lease is over, or `flash env delete NAME` now"))
    }
}

/// `flash guard`: waits until standard input ends or the lease does, and removes the environment.
pub(super) async fn run(args: GuardArgs, to: Option<Where>, output: Output) -> Result<u8, Failure> {
    let until = lease_of(&args.env).ok_or_else(|| {
        Failure::of(exit::USAGE, format!("environment `{}` has no lease, so it is not removed", args.env))
    })?;
    let ended = tokio::task::spawn_blocking(|| std::io::stdin().read_to_end(&mut Vec::new()));
    tokio::select! {
        _ = ended => {}
        () = tokio::time::sleep(left_until(until)) => {}
    }
    let target = TargetArgs { app_name: Some(args.app_name), env: Some(args.env) };
    let mut quiet = 0;
    let mut left = Vec::new();
    // Twice in a row nothing: a request of the killed process may have been on its way.
    for _ in 0..LOOKS {
        let context = Context::open(&target, to).await?;
        let endpoints = context.named_endpoints().await?;
        if endpoints.is_empty() {
            if let Some(environment) = &context.environment {
                context.platform.delete_environment(&environment.id).await?;
            } else {
                quiet += 1;
            }
        } else {
            quiet = 0;
            left = remove_endpoints(&context, &endpoints, output).await?;
        }
        if quiet == 2 {
            if args.with_app
                && let Some(app) = context.app.filter(|app| app.environments.is_empty())
            {
                context.platform.delete_app(&app.id).await?;
            }
            // Nobody needs it any more, and whoever started this may be gone.
            let _ = args.log.map(std::fs::remove_file);
            return Ok(0);
        }
        tokio::time::sleep(PAUSE).await;
    }
    let left: Vec<String> = left.iter().map(|row| row.join(" ")).collect();
    Err(Failure::new(format!("the environment is still there: {}", left.join("; "))))
}
