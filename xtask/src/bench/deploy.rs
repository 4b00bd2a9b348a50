//! What the command `flash` adds to cargo: a deployment that changes nothing against a build that changes nothing, the time from an edit
//! until it is served against cargo's own rebuild, the size of the smallest artifact, and the start of a worker from one.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use super::compile::{Folder, Kind, Package};
use super::cpu;
use super::machine::Cores;
use super::programs::Programs;
use super::report::Report;
use super::server::Server;
use super::spread::Spread;
use super::{Options, probe};
use crate::Result;

/// A deployment may take this many times cargo's build.
const DEPLOY_LIMIT: f64 = 1.5;
/// From an edit to its answer: this many times cargo's rebuild, and this many milliseconds more.
const EDIT_LIMIT: f64 = 1.2;
const EDIT_MORE_MS: f64 = 300.0;
/// MiB of the smallest app's artifact.
const SIZE_LIMIT_MIB: f64 = 8.0;
/// Milliseconds that a worker may start later from an artifact than from its binary.
const START_LIMIT_MS: f64 = 150.0;
/// Longer than any edit takes to be served.
const PATIENCE: Duration = Duration::from_secs(300);

/// Runs the benchmark.
///
/// # Errors
/// When something cannot be built, deployed or served, or answers wrongly.
pub(crate) fn run(options: &Options, programs: &Programs) -> Result<Report> {
    if options.against_itself {
        return Err("`deploy` compares with cargo, so it has no peer to run on both sides".into());
    }
    let tools = Programs::of_packages(programs.profile, &["flash-cli", "flash-bootstrap"])?;
    let folder = Folder::create()?;
    let mut package = Package::write(Kind::Flash, &folder.path().join("ours"))?;
    let mut peer = Package::write(Kind::Flash, &folder.path().join("peer"))?;
    for package in [&package, &peer] {
        append(&package.folder().join("Cargo.toml"), PROFILES)?;
    }
    let flash = Flash {
        program: tools.path("flash")?.to_path_buf(),
        home: folder.path().join("home"),
        package: package.folder().to_path_buf(),
    };
    let rounds = options.rounds(10, 3);
    let mut figures = Figures::default();

    eprintln!("deploy: building the smallest app");
    let build = ["build", "--profile", programs.profile];
    package.cargo(&build)?;
    let platform = flash.platform()?;
    let deploy = ["deploy", "--env", "bench", "--profile", programs.profile];
    flash.json(&deploy)?;
    for round in 0..rounds {
        eprint!("\rdeploy: nothing changed, round {} of {rounds} ", round + 1);
        figures.build.push(package.cargo(&build)?.clock);
        let used = cpu::measure(flash.command(&deploy).arg("--json"))?;
        figures.deploy.push(used.clock);
    }
    eprintln!();
    let built = flash.json(&["build", "--profile", programs.profile])?;
    let bytes = built["bytes"].as_u64().ok_or_else(|| format!("no size: {built}"))?;
    figures.artifact_mib = bytes as f64 / f64::from(1 << 20);
    drop(platform);

    let artifact = package.folder().join(".flash/artifact.tar.gz");
    let binary = package.folder().join("target").join(programs.profile).join("app");
    let starts = Starts {
        programs,
        worker: tools.path("flash-worker")?,
        cores: Cores::choose(),
        folder: folder.path(),
    };
    for round in 0..options.rounds(20, 5) {
        eprint!("\rdeploy: start of a worker, round {} ", round + 1);
        figures.bare_start.push(starts.bare(&binary)?);
        figures.artifact_start.push(starts.unpacked(&artifact)?);
    }
    eprintln!();

    eprintln!("deploy: building both for edits");
    peer.cargo(&["build"])?;
    package.cargo(&["build"])?;
    let served = Served::start(&flash)?;
    for round in 0..rounds {
        eprint!("\rdeploy: edits, round {} of {rounds} ", round + 1);
        peer.edit()?;
        figures.rebuild.push(peer.cargo(&["build"])?.clock);
        figures.served.push(served.edit(&mut package)?);
    }
    eprintln!();
    Ok(figures.report(programs))
}

/// As in a new app, and the quick one of this workspace.
const PROFILES: &str = "\n[profile.release]\nlto = \"thin\"\ncodegen-units = 1\nstrip = \"symbols\"\n\n\
                        [profile.fast]\ninherits = \"release\"\nlto = \"off\"\ncodegen-units = 16\nopt-level = 2\n";

fn append(file: &Path, text: &str) -> Result<()> {
    let before = fs::read_to_string(file)?;
    Ok(fs::write(file, before + text)?)
}

/// Seconds, but for the size.
#[derive(Debug, Default)]
struct Figures {
    build: Vec<f64>,
    deploy: Vec<f64>,
    rebuild: Vec<f64>,
    served: Vec<f64>,
    bare_start: Vec<f64>,
    artifact_start: Vec<f64>,
    artifact_mib: f64,
}

impl Figures {
    fn report(&self, programs: &Programs) -> Report {
        let head = ["what", "ours", "peer", "figure", "limit", "kept"];
        let mut report = Report::new("deploy: what the command adds to cargo", &head);
        let ms = |seconds: &[f64]| format!("{} ms", Spread::of(seconds.iter().map(|s| s * 1000.0)));
        let kept = |value: f64, limit: f64| if value <= limit { "yes" } else { "NO" }.to_owned();

        let ratio = Spread::ratio(&self.deploy, &self.build);
        report.ratio("deploy_vs_build", ratio.median);
        report.row(vec![
            "deployment, nothing changed / cargo build, nothing changed".to_owned(),
            ms(&self.deploy),
            ms(&self.build),
            format!("{ratio} times"),
            DEPLOY_LIMIT.to_string(),
            kept(ratio.median, DEPLOY_LIMIT),
        ]);

        let allowed: Vec<f64> = self.rebuild.iter().map(|seconds| seconds * EDIT_LIMIT).collect();
        let beyond = Spread::of(Spread::differences(&self.served, &allowed).into_iter().map(|s| s * 1000.0));
        report.ratio("edit_to_served_vs_build", Spread::ratio(&self.served, &self.rebuild).median);
        report.ratio("edit_to_served_beyond_ms", beyond.median);
        report.row(vec![
            format!("edit -> served by `flash run` / cargo build after an edit; beyond {EDIT_LIMIT} times"),
            ms(&self.served),
            ms(&self.rebuild),
            format!("{beyond} ms"),
            format!("{EDIT_MORE_MS} ms"),
            kept(beyond.median, EDIT_MORE_MS),
        ]);

        report.ratio("artifact_mib", self.artifact_mib);
        report.row(vec![
            "artifact of the smallest app".to_owned(),
            format!("{:.2} MiB", self.artifact_mib),
            "-".to_owned(),
            format!("{:.2} MiB", self.artifact_mib),
            format!("{SIZE_LIMIT_MIB} MiB"),
            kept(self.artifact_mib, SIZE_LIMIT_MIB),
        ]);

        let over = Spread::difference(&self.artifact_start, &self.bare_start);
        let over_ms = over.median * 1000.0;
        report.ratio("artifact_start_over_ms", over_ms);
        report.row(vec![
            "exec of flash-worker -> first take / exec of the app -> first take".to_owned(),
            ms(&self.artifact_start),
            ms(&self.bare_start),
            format!("{over_ms:.1} ms later"),
            format!("{START_LIMIT_MS} ms"),
            kept(over_ms, START_LIMIT_MS),
        ]);
        report.note("the deployment looks at the sources by cargo, at the binary, the artifact and every endpoint, as each does");
        report.note(format!(
            "app, `flash` and `flash-worker` with profile {}; edits with the dev profile",
            programs.profile
        ));
        report
    }
}

/// The command, with a local platform of its own.
struct Flash {
    program: PathBuf,
    home: PathBuf,
    package: PathBuf,
}

/// A running platform, which is stopped when this is dropped.
struct Platform<'a>(&'a Flash);

impl Drop for Platform<'_> {
    fn drop(&mut self) {
        // It may be on its way out because something failed; that is what should be told.
        let _ = self.0.command(&["platform", "stop"]).output();
    }
}

impl Flash {
    fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new(&self.program);
        for (name, _) in std::env::vars_os() {
            let text = name.to_string_lossy();
            if ["RUNPOD_", "FLASH_", "CARGO_"].iter().any(|prefix| text.starts_with(prefix))
                && text != "CARGO_HOME"
            {
                command.env_remove(&name);
            }
        }
        // Nothing is asked of a registry, as cargo's own builds here do not.
        command.env("CARGO_NET_OFFLINE", "true").env("FLASH_PLATFORM_DIR", &self.home);
        command.args(words).current_dir(&self.package).stdin(Stdio::null());
        command
    }

    fn json(&self, words: &[&str]) -> Result<Value> {
        let output = self.command(words).arg("--json").output()?;
        if !output.status.success() {
            let said = String::from_utf8_lossy(&output.stderr);
            return Err(format!(
                "flash {words:?} failed ({})\n{}",
                output.status,
                super::report::last_lines(&said)
            )
            .into());
        }
        Ok(serde_json::from_slice(&output.stdout)?)
    }

    fn platform(&self) -> Result<Platform<'_>> {
        self.json(&["platform", "start"])?;
        Ok(Platform(self))
    }
}

/// A worker of the smallest app before a job server, until it holds a take.
struct Starts<'a> {
    programs: &'a Programs,
    worker: &'a Path,
    cores: Cores,
    folder: &'a Path,
}

impl Starts<'_> {
    /// From the binary itself. Returns seconds.
    fn bare(&self, binary: &Path) -> Result<f64> {
        self.start(binary, &[])
    }

    /// From the artifact, into a folder where nothing was unpacked before. Returns seconds.
    fn unpacked(&self, artifact: &Path) -> Result<f64> {
        let app = self.folder.join("app");
        if app.exists() {
            fs::remove_dir_all(&app)?;
        }
        let variables = [
            ("FLASH_BUILD_ARTIFACT_PATH", artifact.to_string_lossy().into_owned()),
            ("FLASH_APP_DIR", app.to_string_lossy().into_owned()),
        ];
        self.start(self.worker, &variables)
    }

    fn start(&self, program: &Path, more: &[(&'static str, String)]) -> Result<f64> {
        let port = probe::free_port()?;
        let words = ["--port", &port.to_string(), "--saturated", "false"].map(str::to_owned);
        let mut jobs = Server::start(self.programs.path("job_server")?, self.cores.other, &words, &[])?;
        jobs.wait_until_ready(port, "/control/ready")?;
        let mut variables = super::queue::worker_variables(&format!("http://127.0.0.1:{port}/v2/bench"));
        variables.extend([
            ("FLASH_ENDPOINT_TYPE", "qb".to_owned()),
            ("FLASH_RESOURCE_NAME", "smallest".to_owned()),
            ("FLASH_OUTBOX_DIR", "off".to_owned()),
        ]);
        variables.extend(more.iter().cloned());
        let log = self.folder.join("worker.log");
        let mut worker = Server::start_with_log(program, self.cores.measured, &[], &variables, log)?;
        let taken = || Ok(probe::get_json(port, "/control/jobs", PATIENCE)?["take_held"] == true);
        Ok(worker.wait_until("holding a take", taken)?.as_secs_f64())
    }
}

/// `flash run`, which is ended when this is dropped.
struct Served {
    child: Child,
    port: u16,
}

impl Drop for Served {
    fn drop(&mut self) {
        // Its workers are told by the end of its process.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Served {
    fn start(flash: &Flash) -> Result<Self> {
        let port = probe::free_port()?;
        let log = fs::File::create(flash.package.join("run.log"))?;
        let mut command = flash.command(&["run", "--port", &port.to_string()]);
        let child = command.stdout(log.try_clone()?).stderr(log).spawn()?;
        let served = Self { child, port };
        served.until("hello you")?;
        Ok(served)
    }

    /// Changes a literal. Returns the seconds until it is in an answer.
    fn edit(&self, package: &mut Package) -> Result<f64> {
        let began = Instant::now();
        package.edit()?;
        self.until(&format!("1 times {}\"", package.edits()))?;
        Ok(began.elapsed().as_secs_f64())
    }

    fn until(&self, text: &str) -> Result<()> {
        let began = Instant::now();
        let mut last = String::new();
        while began.elapsed() < PATIENCE {
            let body = r#"{"input": {"name": "you", "times": 1}}"#;
            match probe::post(self.port, "/v2/smallest/runsync", body, PATIENCE) {
                Ok((200, answer)) if answer.contains(text) => return Ok(()),
                Ok((_, answer)) => last = answer,
                Err(error) => last = error.to_string(),
            }
            // Short against a build, long enough to leave the cores to the compiler.
            std::thread::sleep(Duration::from_millis(5));
        }
        Err(format!("`{text}` was not served within {PATIENCE:?}; the last answer: {last}").into())
    }
}
