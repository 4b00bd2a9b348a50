use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::Value;

use super::documents::Documents;
use crate::processes::root;

/// The examples that are deployed.
const EXAMPLES: [&str; 6] = [
    "00_multi_resource",
    "00_standalone_worker",
    "01_hello_world",
    "02_cpu_worker",
    "03_mixed_workers",
    "05_load_balancer",
];

/// A machine of its own: a copy of the examples to change, and a place for a local platform. What is left of it is stopped
/// when it is dropped.
pub(crate) struct Machine {
    home: tempfile::TempDir,
    dir: PathBuf,
    /// What its commands have printed for programs.
    documents: Documents,
}

/// The copies are one workspace, so that what they share is built once, in the folder where the tests have built most of it.
/// This example becomes as it is in the repository. The others only have to be there: they belong to tests that may have
/// changed them and be about to build them.
fn copies(of: &str) -> PathBuf {
    let to = root().join("target/e2e-apps");
    std::fs::create_dir_all(&to).unwrap();
    // Other tests come here at the same time.
    let lock = std::fs::File::create(to.join(".lock")).unwrap();
    lock.lock().unwrap();
    let manifest = std::fs::read_to_string(root().join("Cargo.toml")).unwrap();
    let members: Vec<String> = EXAMPLES.iter().map(|name| format!("\"{name}\"")).collect();
    let start = manifest.find("members = [").unwrap();
    let end = start + manifest[start..].find(']').unwrap() + 1;
    let rest = manifest[end..].replace("path = \"flash", &format!("path = \"{}/flash", root().display()));
    let rest: Vec<&str> = rest
        .lines()
        .filter(|line| !line.starts_with("default-members") && !line.starts_with("exclude"))
        .collect();
    let text = format!("{}members = [{}]\n{}\n", &manifest[..start], members.join(", "), rest.join("\n"));
    write_if_new(&to.join("Cargo.toml"), text.as_bytes());
    if !to.join("Cargo.lock").exists() {
        std::fs::copy(root().join("Cargo.lock"), to.join("Cargo.lock")).unwrap();
    }
    for name in EXAMPLES {
        let (from, to) = (root().join("examples").join(name), to.join(name));
        if name == of || !to.exists() {
            copy(&from, &to);
        } else {
            // No test changes it, and one that is out of date would spoil the workspace for all of them.
            write_if_new(&to.join("Cargo.toml"), &std::fs::read(from.join("Cargo.toml")).unwrap());
        }
    }
    to
}

/// Copies what differs, and nothing else: a file that is written again is a reason to build again.
fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap();
        match () {
            () if name == ".flash" || name == "target" => {}
            () if path.is_dir() => copy(&path, &to.join(name)),
            () => write_if_new(&to.join(name), &std::fs::read(&path).unwrap()),
        }
    }
}

fn write_if_new(path: &Path, bytes: &[u8]) {
    if std::fs::read(path).ok().as_deref() != Some(bytes) {
        std::fs::write(path, bytes).unwrap();
    }
}

impl Machine {
    /// A machine whose current directory is a copy of this example.
    pub(crate) fn at(example: &str) -> Self {
        assert!(EXAMPLES.contains(&example), "{example}");
        let dir = copies(example).join(example);
        // Of another run, with another platform.
        let _ = std::fs::remove_dir_all(dir.join(".flash"));
        Self::in_dir(dir)
    }

    /// A machine whose current directory is this one.
    pub(crate) fn in_dir(dir: PathBuf) -> Self {
        Self { home: tempfile::tempdir().unwrap(), dir, documents: Documents::default() }
    }

    /// A machine whose current directory is no package.
    pub(crate) fn nowhere() -> Self {
        let home = tempfile::tempdir().unwrap();
        let dir = home.path().join("nowhere");
        std::fs::create_dir(&dir).unwrap();
        Self { home, dir, documents: Documents::default() }
    }

    pub(crate) fn dir(&self) -> &Path {
        &self.dir
    }

    /// A command that finds this machine's platform and nothing of the real one's.
    pub(crate) fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_fixture-flash"));
        for (name, _) in std::env::vars_os() {
            let text = name.to_string_lossy();
            if text.starts_with("RUNPOD_") || text.starts_with("FLASH_") {
                command.env_remove(&name);
            }
        }
        command
            .args(args)
            .current_dir(&self.dir)
            .stdin(Stdio::null())
            .env("FLASH_PLATFORM_DIR", self.home.path().join("platform"))
            .env("FLASH_PROFILE", "dev")
            .env("FLASH_HEALTH_INTERVAL_SECS", "1")
            .env("CARGO_TARGET_DIR", root().join("target"))
            .env("CARGO", env!("CARGO"));
        command
    }

    pub(crate) fn run(&self, args: &[&str]) -> Output {
        self.command(args).output().unwrap()
    }

    /// Runs a command that must succeed, and gives what it prints.
    pub(crate) fn flash(&self, args: &[&str]) -> String {
        let output = self.run(args);
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "flash {args:?}: {errors}\n{}", self.platform_log());
        String::from_utf8(output.stdout).unwrap()
    }

    /// The same with `--json`.
    pub(crate) fn json(&self, args: &[&str]) -> Value {
        let text = self.flash(&[args, &["--json"]].concat());
        let document =
            serde_json::from_str(&text).unwrap_or_else(|error| panic!("flash {args:?}: {error}: {text}"));
        self.printed(args, &document);
        document
    }

    /// What a command has printed for programs is to fit the published schema of it.
    pub(crate) fn printed(&self, args: &[&str], document: &Value) {
        self.documents.add(args, document);
    }

    /// Runs a command with `--json`; gives exit code, document and what it says to people.
    pub(crate) fn failed(&self, args: &[&str]) -> (Option<i32>, Value, String) {
        let output =
            self.command(&[args, &["--json"]].concat()).env("HOME", self.home.path()).output().unwrap();
        let document = serde_json::from_slice(&output.stdout).unwrap_or_default();
        self.printed(args, &document);
        (output.status.code(), document, String::from_utf8_lossy(&output.stderr).into_owned())
    }

    fn platform_log(&self) -> String {
        let log = std::fs::read_to_string(self.home.path().join("platform/platform.log")).unwrap_or_default();
        let lines: Vec<&str> = log.lines().collect();
        lines[lines.len().saturating_sub(40)..].join("\n")
    }

    /// The ids of the workers of all endpoints.
    pub(crate) fn workers(&self) -> Vec<String> {
        let listed = self.json(&["ps"]);
        let endpoints = listed["endpoints"].as_array().unwrap();
        let workers = endpoints.iter().flat_map(|endpoint| endpoint["workers"].as_array().unwrap());
        workers.map(|worker| worker["id"].as_str().unwrap().to_owned()).collect()
    }

    /// Address and key of the platform, as it tells the commands of its user.
    pub(crate) fn access(&self) -> (String, String) {
        let text = std::fs::read_to_string(self.home.path().join("platform/platform.json")).unwrap();
        let record: Value = serde_json::from_str(&text).unwrap();
        (record["base_url"].as_str().unwrap().to_owned(), record["api_key"].as_str().unwrap().to_owned())
    }

    /// Programs that run out of this machine's platform, with the directory that the kernel has for each.
    fn running(&self) -> Vec<(PathBuf, PathBuf)> {
        let home = self.home.path().canonicalize().unwrap();
        let processes = std::fs::read_dir("/proc").unwrap().flatten().map(|entry| entry.path());
        let with_program =
            processes.filter_map(|process| Some((std::fs::read_link(process.join("exe")).ok()?, process)));
        with_program.filter(|(program, _)| program.starts_with(&home)).collect()
    }

    /// Programs that run out of this machine's platform.
    pub(crate) fn processes(&self) -> Vec<PathBuf> {
        self.running().into_iter().map(|(program, _)| program).collect()
    }

    /// The environments of all workers, as the kernel has them.
    pub(crate) fn environments(&self) -> Vec<BTreeMap<String, String>> {
        let environs =
            self.running().into_iter().filter_map(|(_, process)| std::fs::read(process.join("environ")).ok());
        environs
            .map(|environ| {
                let text = String::from_utf8_lossy(&environ).into_owned();
                let pairs = text.split('\0').filter_map(|pair| pair.split_once('='));
                pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
            })
            .collect()
    }

    /// Changes one line of a source file.
    pub(crate) fn edit(&self, file: &str, from: &str, to: &str) {
        let path = self.dir.join(file);
        let text = std::fs::read_to_string(&path).unwrap();
        assert_eq!(text.matches(from).count(), 1, "{from} in {file}");
        std::fs::write(path, text.replace(from, to)).unwrap();
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        // It may be on its way out because something failed; that is what should be told.
        let _ = self.command(&["platform", "stop"]).current_dir(self.home.path()).output();
    }
}
