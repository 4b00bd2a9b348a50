use std::path::PathBuf;
use std::time::Duration;

use flash_platform::control::Platform;

use super::context::Context;
use super::deploy::{prepare, told};
use super::guard::Guard;
use super::interrupt::Interrupt;
use super::logs::Tail;
use super::temporary::until;
use super::watch::{Seen, Sources};
use crate::build::{Built, build};
use crate::cli::{HowArgs, RunArgs, SourceArgs, TargetArgs, Where};
use crate::connect::{Connection, connect};
use crate::deploy::{Artifact, Identity, apply, leased_name, left_until};
use crate::failure::{During, Failure, exit};
use crate::output::Output;
use crate::project::Project;

/// Between two looks at the sources.
const LOOK: Duration = Duration::from_millis(150);
/// So many of them between two looks at what the workers print: that asks the platform.
const LOOKS: u32 = 20;

/// `flash run --auto-provision`: the endpoints are deployed, follow every edit, and are gone when this ends.
pub(super) async fn run(args: &RunArgs, to: Option<Where>, output: Output) -> Result<u8, Failure> {
    let connection = connect(to)?;
    let project = Project::find(args.package.as_deref())?;
    let source = SourceArgs {
        package: args.package.clone(),
        bin: args.bin.clone(),
        target: None,
        // What is deployed is slow to reach in any case, and quick to build here.
        profile: Some(if args.release { "release" } else { "dev" }.to_owned()),
        binary: None,
    };
    let app = project.app().to_owned();
    let is_new_app = connection.platform.app(&app).await?.is_none();
    let sources = Sources::new(&project);
    let seen = sources.seen(None);
    // Nothing is provisioned for an app that does not compile.
    let built = build(&source, &project, None, output)?;
    let until = until(args.ttl)?;
    let id = Identity { app, env: leased_name("live", until) };
    output.note(format_args!("environment {} until {until} on {}", id.env, connection.name));
    let mut interrupt = Interrupt::listen();
    let guard = Guard::start(&connection, &id, is_new_app, &project.flash_dir())?;
    let live = Live { connection, project, source, id, to, output, watch: !args.no_watch };
    let lived = tokio::select! {
        lived = live.follow(built, &sources, seen) => lived,
        () = tokio::time::sleep(left_until(until)) => {
            Err(Failure::new(format!("the lease of environment {} is over", live.id.env)).help("a longer one: --ttl 8h"))
        }
        () = interrupt.came() => Ok(()),
    };
    output.note(format_args!("removing environment {}", live.id.env));
    let removed = guard.end().await;
    lived.and(removed)?;
    output.note("removed, confirmed gone");
    Ok(0)
}

struct Live {
    connection: Connection,
    project: Project,
    source: SourceArgs,
    id: Identity,
    to: Option<Where>,
    output: Output,
    watch: bool,
}

impl Live {
    /// Deploys, and deploys again whenever the sources have changed and compile. Never ends by itself.
    async fn follow(&self, built: Built, sources: &Sources, mut seen: Seen) -> Result<(), Failure> {
        let binary = self.deploy(built, true).await?;
        seen = seen.older(sources.seen(Some(&binary)));
        let target = TargetArgs { app_name: Some(self.id.app.clone()), env: Some(self.id.env.clone()) };
        let context = Context::open(&target, self.to).await?;
        let mut tail = Tail::default();
        let mut looks = 0;
        loop {
            tokio::time::sleep(LOOK).await;
            looks += 1;
            if looks % LOOKS == 0 {
                // A log that cannot be read now is read later.
                let _ = tail
                    .tell(&context, None, |line| {
                        self.output.note(format_args!("{} | {}", line.endpoint, line.line));
                    })
                    .await;
            }
            if !self.watch || !seen.has_changed() {
                continue;
            }
            let before = sources.seen(None);
            match self.again().await {
                Ok(binary) => seen = before.older(sources.seen(Some(&binary))),
                Err(failure) => {
                    self.output.warn(format_args!("{failure}\nthe last good build goes on serving"));
                    seen = seen.now().older(before);
                }
            }
        }
    }

    async fn again(&self) -> Result<PathBuf, Failure> {
        let (source, project, output) = (self.source.clone(), self.project.clone(), self.output);
        let built = tokio::task::spawn_blocking(move || build(&source, &project, None, output));
        self.deploy(built.await.during("the build broke off")??, false).await
    }

    /// Deploys and tells where it is; gives the binary that cargo built.
    async fn deploy(&self, built: Built, is_first: bool) -> Result<PathBuf, Failure> {
        let functions = built.manifest.function_registry.clone();
        let binary = built.binary.clone();
        let (artifact, manifest) = Artifact::of(built);
        let how = HowArgs::usual().map_err(|error| Failure::of(exit::USAGE, error.to_string()))?;
        let (id, settings) = (self.id.clone(), Some(self.id.env.as_str()));
        let deployment = prepare(&self.connection, &self.project, manifest, settings, id, how, self.output)?;
        let applied = apply(deployment, artifact).await?;
        if is_first {
            let text = told("every endpoint is provisioned; Ctrl-C removes them", &functions, &applied);
            self.output.result(&text, &applied.document(&self.id));
        } else {
            self.output.note("the edit is served");
        }
        Ok(binary)
    }
}
