use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use flash_local::{EndpointSpec, LocalPlatform};
use serde_json::Value;

/// The workspace.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").canonicalize().unwrap()
}

/// The examples. All are built at once: alone, each would turn on other features of what they share, and build it again.
const EXAMPLES: [&str; 6] =
    ["standalone_worker", "multi_resource", "hello_world", "cpu_worker", "mixed_workers", "load_balancer"];

/// The optimised binary of an example. Cargo builds it once, and says so quickly afterwards.
pub(crate) fn example(package: &str) -> PathBuf {
    assert!(EXAMPLES.contains(&package), "{package}");
    let built = Command::new(env!("CARGO"))
        .args(["build", "--quiet", "--locked", "--profile", "fast", "--bins"])
        .args(EXAMPLES.iter().flat_map(|package| ["--package", package]))
        .current_dir(root())
        .env_remove("CARGO_TARGET_DIR")
        .output()
        .unwrap();
    assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));
    root().join("target/fast").join(package)
}

/// A binary in its local role on a free port; killed when dropped.
#[derive(Debug)]
pub(crate) struct Local {
    child: Child,
    pub(crate) url: String,
}

impl Local {
    pub(crate) fn start(binary: &Path) -> Self {
        let mut child = Command::new(binary)
            .env_clear()
            .env("FLASH_PORT", "0")
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        // The first line names the address.
        let first = lines.next().unwrap().unwrap();
        let url = first.split_whitespace().find(|word| word.starts_with("http://")).unwrap().to_owned();
        // The pipe stays open, so that the program can go on printing.
        std::thread::spawn(move || lines.for_each(drop));
        Self { child, url }
    }
}

impl Drop for Local {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A platform whose workers are the fixture app: two queues and an HTTP endpoint, each its own process.
pub(crate) async fn fixture() -> LocalPlatform {
    let app = env!("CARGO_BIN_EXE_fixture-app");
    let platform = LocalPlatform::start().await.unwrap();
    let specs = [
        EndpointSpec::queue("echo", app),
        EndpointSpec::queue("mixed", app),
        EndpointSpec::load_balanced("api", app),
    ];
    platform.add_endpoints(specs).await.unwrap();
    platform
}

/// Posts JSON and gives status and JSON back.
pub(crate) async fn post(url: &str, body: &Value) -> (u16, Value) {
    let http = flash_platform::HttpClient::new();
    let request = http.request(reqwest::Method::POST, url).unwrap();
    let response =
        request.header("content-type", "application/json").body(body.to_string()).send().await.unwrap();
    let status = response.status().as_u16();
    let text = response.text().await.unwrap();
    (status, serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}")))
}

/// Posts to a function of the fixture's HTTP endpoint.
pub(crate) async fn post_api(platform: &LocalPlatform, path: &str, body: &Value) -> (u16, Value) {
    post(&format!("{}{path}", platform.endpoint_url("api").unwrap()), body).await
}
