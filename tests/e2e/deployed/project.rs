use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use flash_local::LocalPlatform;
use flash_platform::HttpClient;
use reqwest::Method;
use serde_json::{Value, json};

use super::proxy::Proxy;

pub(crate) const KEY: &str = "fake-key-for-tests";
/// The value of the secret that the app declares.
pub(crate) const TOKEN: &str = "fake-shop-token-for-tests";

/// A project whose binary is a fixture of the tests: a queue and routes that call it, built already.
pub(crate) struct Project {
    pub(crate) dir: tempfile::TempDir,
    /// The commands' own state, away from the user's.
    pub(crate) state: tempfile::TempDir,
}

impl Project {
    /// A project of this binary, which is not packed yet.
    pub(crate) fn unbuilt() -> Self {
        let project = Self { dir: tempfile::tempdir().unwrap(), state: tempfile::tempdir().unwrap() };
        let cargo = "[package]\nname = \"shop\"\nversion = \"0.1.0\"\nedition = \"2024\"\n[workspace]\n\
                     [package.metadata.flash]\nassets = [\"data\"]\n";
        project.write("Cargo.toml", cargo);
        project.write("src/main.rs", "fn main() {}\n");
        project.write("data/stock.txt", "first\n");
        project
    }

    fn new() -> Self {
        let project = Self::unbuilt();
        project.build();
        project
    }

    /// The project of all tests: packing takes longest.
    pub(crate) fn shared() -> &'static Self {
        static SHARED: OnceLock<Project> = OnceLock::new();
        SHARED.get_or_init(Self::new)
    }

    /// The same app with another asset, so that it is another artifact.
    pub(crate) fn shared_second() -> &'static Self {
        static SHARED: OnceLock<Project> = OnceLock::new();
        SHARED.get_or_init(|| {
            let project = Self::unbuilt();
            project.write("data/stock.txt", "second\n");
            project.build();
            project
        })
    }

    pub(crate) fn write(&self, name: &str, text: &str) {
        let path = self.dir.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    fn build(&self) {
        let built = self.command("http://127.0.0.1:1", &["build"]).output().unwrap();
        assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));
    }

    pub(crate) fn artifact(&self) -> PathBuf {
        self.dir.path().join(".flash/artifact.tar.gz")
    }

    /// The same artifact in a checkout of its own.
    pub(crate) fn checkout(&self) -> Self {
        let copy = Self { dir: tempfile::tempdir().unwrap(), state: tempfile::tempdir().unwrap() };
        copy_all(self.dir.path(), copy.dir.path());
        copy
    }

    /// Has the sources and the artifact of another one from now on.
    pub(crate) fn become_(&self, other: &Self) {
        copy_all(other.dir.path(), self.dir.path());
    }

    pub(crate) fn command(&self, base: &str, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_fixture-flash"));
        for (name, _) in std::env::vars_os() {
            let text = name.to_string_lossy();
            if text.starts_with("RUNPOD_") || text.starts_with("FLASH_") {
                command.env_remove(&name);
            }
        }
        command
            .args(args)
            .current_dir(self.dir.path())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .env("FLASH_PLATFORM_DIR", self.state.path())
            .env("FLASH_BINARY", env!("CARGO_BIN_EXE_fixture-shop"))
            .env("FLASH_RETRY_FIRST_MS", "1")
            .env("FLASH_HEALTH_INTERVAL_SECS", "1")
            .env("RUNPOD_API_BASE_URL", base)
            .env("RUNPOD_ENDPOINT_BASE_URL", format!("{base}/v2"))
            .env("RUNPOD_API_KEY", KEY)
            .env("SHOP_TOKEN", TOKEN);
        command
    }

    /// Runs a command beside the platform, which lives on this test's runtime.
    pub(crate) async fn run(&self, base: &str, args: &[&str]) -> Output {
        output(self.command(base, args)).await
    }

    pub(crate) async fn json(&self, base: &str, args: &[&str]) -> Value {
        let output = self.run(base, &[args, &["--json"]].concat()).await;
        assert!(output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
        serde_json::from_slice(&output.stdout).unwrap()
    }

    /// Calls the deployed app until it gives this stock: workers of the build before may still finish what they have.
    pub(crate) async fn until_stock(&self, base: &str, stock: &str) {
        let begun = Instant::now();
        while self.json(base, &["call", "stock"]).await != stock {
            assert!(begun.elapsed() < Duration::from_secs(60), "workers of another build go on answering");
        }
    }

    /// Runs a command with `--json` that must fail; gives its code and its document.
    pub(crate) async fn failed(&self, base: &str, args: &[&str]) -> (Option<i32>, Value) {
        let output = self.run(base, &[args, &["--json"]].concat()).await;
        let document = serde_json::from_slice(&output.stdout).unwrap_or_default();
        assert!(!output.status.success(), "{args:?}: {document}");
        (output.status.code(), document)
    }

    /// Runs a command that is killed where the proxy says so.
    pub(crate) async fn run_until_killed(&self, proxy: &Proxy, args: &[&str]) -> Output {
        let child = self.command(&proxy.base, args).spawn().unwrap();
        proxy.kills(Some(child.id()));
        let output = tokio::task::spawn_blocking(move || child.wait_with_output().unwrap()).await.unwrap();
        proxy.kills(None);
        output
    }

    /// What the state file says of the only environment.
    pub(crate) fn remembered(&self) -> Value {
        let text = std::fs::read_to_string(self.dir.path().join(".flash/state.json")).unwrap();
        let state: Value = serde_json::from_str(&text).unwrap();
        let environments = state["environments"].as_object().unwrap();
        environments.values().next_back().unwrap().clone()
    }
}

/// Runs a command beside a platform that lives on this test's runtime.
pub(crate) async fn output(mut command: Command) -> Output {
    tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap()
}

fn copy_all(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let place = to.join(path.file_name().unwrap());
        if path.is_dir() {
            copy_all(&path, &place);
        } else if !path.ends_with("state.json") {
            std::fs::copy(&path, place).unwrap();
        }
    }
}

/// A platform with a directory, in which its workers' programs lie.
pub(crate) struct Home {
    pub(crate) platform: LocalPlatform,
    pub(crate) dir: tempfile::TempDir,
}

impl Home {
    pub(crate) async fn start() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let builder = LocalPlatform::builder().control_plane(true).api_key(KEY).data_dir(dir.path());
        Self { platform: builder.start().await.unwrap(), dir }
    }

    pub(crate) fn base(&self) -> String {
        self.platform.base_url()
    }

    pub(crate) async fn rest(&self, method: Method, path: &str, body: Option<&Value>) -> Value {
        ask(method, &format!("{}/v2{path}", self.base()), body).await
    }

    pub(crate) async fn graphql(&self, query: &str) -> Value {
        let answer =
            ask(Method::POST, &format!("{}/graphql", self.base()), Some(&json!({"query": query}))).await;
        assert!(answer.get("errors").is_none(), "{answer}");
        answer["data"].clone()
    }

    pub(crate) async fn endpoints(&self) -> Vec<Value> {
        self.rest(Method::GET, "/serverless", None).await["endpoints"].as_array().unwrap().clone()
    }
}

async fn ask(method: Method, url: &str, body: Option<&Value>) -> Value {
    let mut request = HttpClient::new().request(method, url).unwrap().bearer_auth(KEY);
    if let Some(body) = body {
        request = request.header("content-type", "application/json").body(body.to_string());
    }
    let answer = request.send().await.unwrap();
    let status = answer.status();
    let text = answer.text().await.unwrap();
    assert!(status.is_success(), "{status} {text}");
    if text.is_empty() { Value::Null } else { serde_json::from_str(&text).unwrap() }
}
