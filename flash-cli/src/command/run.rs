use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Duration;

use flash_core::manifest::Manifest;
use flash_local::LocalPlatform;

use super::interrupt::Interrupt;
use super::live;
use super::serving::{endpoint, tell, tell_logs};
use super::watch::Sources;
use crate::build::{Compile, compile, describe};
use crate::cli::{RunArgs, Where};
use crate::failure::{During, Failure};
use crate::output::Output;
use crate::project::Project;

/// Between two looks at the sources. Looking is a `stat` for each file that the compiler read.
const LOOK: Duration = Duration::from_millis(150);
/// The first port, and how many follow.
const PORT: u16 = 8888;
const PORTS: u16 = 20;

/// `flash run`: this process keeps the address, the queues and what waits in them; the app runs behind it and is replaced,
/// one worker after the other, whenever its sources have changed and compile.
pub(super) async fn run(args: &RunArgs, to: Option<Where>, output: Output) -> Result<u8, Failure> {
    if args.auto_provision {
        return live::run(args, to, output).await;
    }
    let project = Project::find(args.package.as_deref())?;
    let how = Compile {
        bin: project.bin(args.bin.as_deref())?,
        target: None,
        profile: Some(if args.release { "release" } else { "dev" }.to_owned()),
    };
    let mut interrupt = Interrupt::listen();
    let platform = start(args.port).await?;
    let mut served = Served { platform, project, how, output, release: 0, endpoints: BTreeMap::new() };
    // As below: what was seen before the build, so that an edit while it is brought into service is not missed.
    let sources = Sources::new(&served.project);
    let mut seen = sources.seen(None);
    match served.rebuild().await {
        Ok(binary) => seen = seen.older(sources.seen(Some(&binary))),
        Err(failure) if args.no_watch => return Err(failure),
        Err(failure) => output.warn(format_args!("{failure}\nwaiting for a change")),
    }
    let mut told = BTreeMap::new();
    loop {
        tokio::select! {
            () = tokio::time::sleep(LOOK) => {}
            () = interrupt.came() => break,
        }
        tell_logs(&served.platform, &mut told, output);
        if args.no_watch || !seen.has_changed() {
            continue;
        }
        // What was seen before the build: a change during it is another reason to build.
        let before = sources.seen(None);
        match served.rebuild().await {
            Ok(binary) => seen = before.older(sources.seen(Some(&binary))),
            Err(failure) => {
                output.warn(format_args!("{failure}\nthe last good build goes on serving"));
                seen = seen.now().older(before);
            }
        }
    }
    output.note("stopping");
    served.platform.shutdown().await;
    Ok(0)
}

/// The asked port, or the first free one.
async fn start(asked: Option<u16>) -> Result<LocalPlatform, Failure> {
    let from_environment = std::env::var("FLASH_PORT").ok().and_then(|text| text.trim().parse().ok());
    let ports: Vec<u16> = match asked.or(from_environment) {
        Some(port) => vec![port],
        None => (PORT..PORT + PORTS).collect(),
    };
    let mut last = None;
    for port in ports {
        let address: SocketAddr = (Ipv4Addr::LOCALHOST, port).into();
        match LocalPlatform::builder().address(address).start().await {
            Ok(platform) => return Ok(platform),
            Err(error) => last = Some(error),
        }
    }
    let reason = last.map(|error| error.to_string()).unwrap_or_default();
    Err(Failure::new(format!("no address can be bound: {reason}")).help("choose another one with --port"))
}

struct Served {
    platform: LocalPlatform,
    project: Project,
    how: Compile,
    output: Output,
    release: u32,
    endpoints: BTreeMap<String, bool>,
}

impl Served {
    /// Compiles, and when that succeeds replaces the workers. Gives the binary that cargo built.
    async fn rebuild(&mut self) -> Result<PathBuf, Failure> {
        let (project, how) = (self.project.clone(), self.how.clone());
        let built = tokio::task::spawn_blocking(move || -> Result<_, Failure> {
            let binary = compile(&project, &how)?;
            let (manifest, warnings) = describe(&binary)?;
            Ok((binary, manifest, warnings))
        });
        let (binary, manifest, warnings) = built.await.during("the build broke off")??;
        for warning in warnings {
            self.output.warn(warning);
        }
        self.release += 1;
        let copy = self.keep(&binary)?;
        self.serve(&manifest, &copy).await?;
        Ok(binary)
    }

    /// A copy of the binary: cargo writes the next one over it, and a worker that starts in between must be the good one.
    fn keep(&self, binary: &Path) -> Result<PathBuf, Failure> {
        let dir = self.project.flash_dir().join("run");
        std::fs::create_dir_all(&dir).during(format!("`{}` cannot be made", dir.display()))?;
        std::fs::write(self.project.flash_dir().join(".gitignore"), "*\n")
            .during("`.flash` cannot be written")?;
        let copy = dir.join(format!("{}-{}", self.how.bin, self.release % 3));
        let _ = std::fs::remove_file(&copy);
        std::fs::copy(binary, &copy).during(format!("`{}` cannot be written", copy.display()))?;
        Ok(copy)
    }

    async fn serve(&mut self, manifest: &Manifest, binary: &Path) -> Result<(), Failure> {
        let mut fresh = Vec::new();
        for (name, entry) in &manifest.resources {
            let spec = endpoint(manifest, name, entry, binary, &self.project.dir);
            match self.endpoints.get(name) {
                Some(kind) if *kind == entry.is_load_balanced => {
                    self.platform.update_endpoint(spec).await.during(format!("endpoint `{name}`"))?;
                }
                Some(_) => self
                    .output
                    .warn(format_args!("endpoint `{name}` has another kind now: start `flash run` again")),
                None => {
                    fresh.push(spec);
                    self.endpoints.insert(name.clone(), entry.is_load_balanced);
                }
            }
        }
        let gone: Vec<&str> = self
            .endpoints
            .keys()
            .map(String::as_str)
            .filter(|name| !manifest.resources.contains_key(*name))
            .collect();
        if !gone.is_empty() {
            self.output.warn(format_args!(
                "no longer declared, and served until `flash run` ends: {}",
                gone.join(", ")
            ));
        }
        let is_first = self.release == 1;
        let has_new = !fresh.is_empty();
        self.platform.add_endpoints(fresh).await.during("the endpoints cannot be served")?;
        if is_first || has_new {
            tell(&self.platform, manifest, self.output);
        } else {
            self.output.note(format_args!("serving release {}", self.release));
        }
        Ok(())
    }
}
