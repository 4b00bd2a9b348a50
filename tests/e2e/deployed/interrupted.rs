use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};

use flash_local::LocalPlatform;
use serde_json::{Value, json};

use super::proxy::{Fate, Proxy};

const KEY: &str = "fake-key-for-tests";

/// A project whose binary is a fixture of the tests: two queues and an HTTP endpoint and more, built already.
struct Project {
    dir: tempfile::TempDir,
    /// The commands' own state, away from the user's.
    state: tempfile::TempDir,
}

impl Project {
    fn new(binary: &str) -> Self {
        let project = Self { dir: tempfile::tempdir().unwrap(), state: tempfile::tempdir().unwrap() };
        let write = |name: &str, text: &str| std::fs::write(project.dir.path().join(name), text).unwrap();
        write(
            "Cargo.toml",
            "[package]\nname = \"shop\"\nversion = \"0.1.0\"\nedition = \"2024\"\n[workspace]\n",
        );
        std::fs::create_dir(project.dir.path().join("src")).unwrap();
        write("src/main.rs", "fn main() {}\n");
        let built = project.command("http://127.0.0.1:1", &["build", "--binary", binary]).output().unwrap();
        assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));
        project
    }

    /// The project of all tests here: packing takes longest.
    fn shared() -> &'static Project {
        static SHARED: OnceLock<Project> = OnceLock::new();
        SHARED.get_or_init(|| Project::new(env!("CARGO_BIN_EXE_fixture-app")))
    }

    /// The same artifact in a checkout of its own.
    fn checkout(&self) -> Self {
        let copy = Self { dir: tempfile::tempdir().unwrap(), state: tempfile::tempdir().unwrap() };
        copy_all(self.dir.path(), copy.dir.path());
        copy
    }

    fn command(&self, base: &str, args: &[&str]) -> Command {
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
            .env("FLASH_RETRY_FIRST_MS", "1")
            .env("FLASH_HEALTH_INTERVAL_SECS", "1")
            .env("RUNPOD_API_BASE_URL", base)
            .env("RUNPOD_ENDPOINT_BASE_URL", format!("{base}/v2"))
            .env("RUNPOD_API_KEY", KEY);
        command
    }

    /// Runs a command beside the platform, which lives on this test's runtime.
    async fn run(&self, base: &str, args: &[&str]) -> Output {
        let mut command = self.command(base, args);
        tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap()
    }

    async fn json(&self, base: &str, args: &[&str]) -> Value {
        let output = self.run(base, &[args, &["--json"]].concat()).await;
        assert!(output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
        serde_json::from_slice(&output.stdout).unwrap()
    }

    /// Deploys, and is killed where the proxy says so.
    async fn deploy_until_killed(&self, proxy: &Proxy) {
        let child = self.command(&proxy.base, &["deploy", "send", "prod", "--no-verify"]).spawn().unwrap();
        proxy.kills(Some(child.id()));
        tokio::task::spawn_blocking(move || child.wait_with_output().unwrap()).await.unwrap();
        proxy.kills(None);
    }
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

async fn platform() -> LocalPlatform {
    LocalPlatform::builder().control_plane(true).api_key(KEY).start().await.unwrap()
}

/// What an environment consists of, without the ids that differ from run to run.
async fn outcome(project: &Project, base: &str) -> Value {
    let info = project.json(base, &["deploy", "info", "prod"]).await;
    let endpoints: Vec<Value> =
        info["endpoints"].as_array().unwrap().iter().map(|endpoint| endpoint["resource"].clone()).collect();
    let apps = project.json(base, &["app", "list"]).await;
    let apps: Vec<Value> = apps["apps"]
        .as_array()
        .unwrap()
        .iter()
        .map(|app| json!([app["name"], app["environments"]]))
        .collect();
    json!({"apps": apps, "endpoints": endpoints, "is_active": info["active_build"].is_string()})
}

/// How many of `count` cases are to be run (`FLASH_TEST_SCALE`, percent).
fn scaled(count: usize) -> Vec<usize> {
    let percent: usize =
        std::env::var("FLASH_TEST_SCALE").ok().and_then(|text| text.parse().ok()).unwrap_or(1);
    let wanted = (count * percent / 100).clamp(3, count.max(3));
    (0..wanted).map(|at| at * count / wanted).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_killed_deployment_is_continued_as_if_nothing_had_happened() {
    let project = Project::shared();
    // Once without interruption: what there is to reach, and how many requests there are to be killed at.
    let whole = platform().await;
    let proxy = Proxy::start(whole.base_url(), |_| Fate::Pass).await;
    let undisturbed = project.checkout();
    undisturbed.deploy_until_killed(&proxy).await;
    let expected = outcome(&undisturbed, &whole.base_url()).await;
    let requests = proxy.seen();
    assert_eq!(expected["is_active"], true, "{requests:?}");
    whole.shutdown().await;

    for at in scaled(requests.len()) {
        for fate in [Fate::KillBefore, Fate::KillAfter] {
            let platform = platform().await;
            let counter = AtomicUsize::new(0);
            let decide =
                move |_: &str| if counter.fetch_add(1, Ordering::Relaxed) == at { fate } else { Fate::Pass };
            let proxy = Proxy::start(platform.base_url(), decide).await;
            let project = project.checkout();
            project.deploy_until_killed(&proxy).await;
            let killed_at = proxy.seen().last().cloned();
            let base = platform.base_url();
            let again = project.run(&base, &["deploy", "send", "prod"]).await;
            let errors = String::from_utf8_lossy(&again.stderr);
            assert!(again.status.success(), "{fate:?} at {killed_at:?}: {errors}");
            assert_eq!(outcome(&project, &base).await, expected, "{fate:?} at {killed_at:?}");
            let left = project.json(&base, &["gc", "--dry-run"]).await;
            assert_eq!(left["orphans"], json!([]), "{fate:?} at {killed_at:?}");
            platform.shutdown().await;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn gc_finds_what_a_killed_first_deployment_left_and_nothing_else() {
    let project = Project::shared().checkout();
    let platform = platform().await;
    let mut saved = 0;
    let decide = move |name: &str| {
        saved += usize::from(name == "mutation saveEndpoint");
        if saved == 2 { Fate::KillAfter } else { Fate::Pass }
    };
    let proxy = Proxy::start(platform.base_url(), decide).await;
    project.deploy_until_killed(&proxy).await;
    let base = platform.base_url();
    let left = project.json(&base, &["gc", "--dry-run"]).await;
    let count = left["orphans"].as_array().unwrap().len();
    assert!(count >= 1, "{left}");
    // An endpoint of nobody's app is nobody's orphan.
    let other = json!({"name": "mine", "type": "QUEUE", "image": "x", "scaling": {"type": "QUEUE_DELAY", "queueDelay": 4}});
    let http = flash_platform::HttpClient::new();
    let request = http.request(reqwest::Method::POST, &format!("{base}/v2/serverless")).unwrap();
    let made = request
        .bearer_auth(KEY)
        .header("content-type", "application/json")
        .body(other.to_string())
        .send()
        .await
        .unwrap();
    assert_eq!(made.status(), 201, "{}", made.text().await.unwrap());
    let removed = project.json(&base, &["gc", "--force"]).await;
    assert_eq!(removed["removed"].as_array().unwrap().len(), count, "{removed}");
    assert_eq!(project.json(&base, &["gc", "--dry-run"]).await["orphans"], json!([]));
    let listed = http.request(reqwest::Method::GET, &format!("{base}/v2/serverless")).unwrap();
    let listed: Value =
        serde_json::from_str(&listed.bearer_auth(KEY).send().await.unwrap().text().await.unwrap()).unwrap();
    assert_eq!(listed["endpoints"].as_array().unwrap().len(), 1, "{listed}");
    platform.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_state_manager_that_is_down_activates_nothing() {
    let project = Project::shared().checkout();
    let platform = platform().await;
    let tries = Arc::new(AtomicUsize::new(0));
    let count = tries.clone();
    let down = move |name: &str| match name {
        "mutation updateFlashBuildManifest" => {
            count.fetch_add(1, Ordering::Relaxed);
            Fate::Unavailable
        }
        _ => Fate::Pass,
    };
    let proxy = Proxy::start(platform.base_url(), down).await;
    let failed = project.run(&proxy.base, &["deploy", "send", "prod", "--no-verify"]).await;
    let errors = String::from_utf8_lossy(&failed.stderr);
    assert_eq!(failed.status.code(), Some(1), "{errors}");
    assert!(errors.contains("nothing was activated") && errors.contains("storing the manifest"), "{errors}");
    assert!(!String::from_utf8_lossy(&failed.stdout).contains("deployed"), "{errors}");
    assert_eq!(tries.load(Ordering::Relaxed), 4);
    let base = platform.base_url();
    let info = project.json(&base, &["deploy", "info", "prod"]).await;
    assert_eq!((&info["active_build"], &info["endpoints"]), (&Value::Null, &json!([])), "{info}");

    // With a build that runs, that one goes on.
    proxy.decide(|_| Fate::Pass);
    let first = project.json(&proxy.base, &["deploy", "send", "prod", "--no-verify"]).await;
    std::fs::write(project.dir.path().join("flash.toml"), "[env.prod]\nvariables = { COLOUR = \"blue\" }\n")
        .unwrap();
    proxy.decide(|name| match name {
        "mutation updateFlashBuildManifest" => Fate::Unavailable,
        _ => Fate::Pass,
    });
    let failed = project.run(&proxy.base, &["deploy", "send", "prod", "--no-verify"]).await;
    assert_eq!(failed.status.code(), Some(1));
    let info = project.json(&base, &["deploy", "info", "prod"]).await;
    assert_eq!(info["active_build"], first["build"], "{info}");
    std::fs::remove_file(project.dir.path().join("flash.toml")).unwrap();
    let plan = project.json(&base, &["deploy", "send", "prod", "--dry-run"]).await;
    assert!(plan["plan"].as_array().unwrap().iter().all(|step| step["action"] == "unchanged"), "{plan}");
    platform.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_deployments_at_once_end_in_one() {
    let platform = platform().await;
    let base = platform.base_url();
    let first = Project::shared().checkout();
    // Another checkout on the same machine, with another setting.
    let second = Project { state: tempfile::tempdir().unwrap(), ..Project::shared().checkout() };
    let toml = "[env.prod]\nvariables = { COLOUR = \"blue\" }\n";
    std::fs::write(second.dir.path().join("flash.toml"), toml).unwrap();
    let shared = first.state.path().to_owned();
    let args = ["deploy", "send", "prod", "--no-verify"];
    let children: Vec<_> = [&first, &second]
        .map(|project| project.command(&base, &args).env("FLASH_PLATFORM_DIR", &shared).spawn().unwrap())
        .into_iter()
        .map(|child| tokio::task::spawn_blocking(move || child.wait_with_output().unwrap()))
        .collect();
    for child in children {
        let output = child.await.unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
    let left = first.json(&base, &["gc", "--dry-run"]).await;
    assert_eq!(left["orphans"], json!([]));
    // One of the two is what runs, in every part.
    let unchanged =
        |plan: &Value| plan["plan"].as_array().unwrap().iter().all(|step| step["action"] == "unchanged");
    let mut same = 0;
    for project in [&first, &second] {
        let plan = project.json(&base, &["deploy", "send", "prod", "--dry-run"]).await;
        same += usize::from(unchanged(&plan));
    }
    assert_eq!(same, 1);
    platform.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_missing_key_fails_before_any_change() {
    let project = Project::shared().checkout();
    let platform = platform().await;
    let proxy = Proxy::start(platform.base_url(), |_| Fate::Pass).await;
    let mut command = project.command(&proxy.base, &["deploy", "send", "prod"]);
    command.env_remove("RUNPOD_API_KEY").env("HOME", project.state.path());
    let output = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(4), "{errors}");
    assert!(errors.contains("RUNPOD_API_KEY"), "{errors}");
    assert!(
        proxy.seen().iter().all(|name| !name.starts_with("mutation") && !name.starts_with("POST")),
        "{:?}",
        proxy.seen()
    );
    platform.shutdown().await;
}
