//! Programs that nobody here wrote, against this one: they read its OpenAPI document, fuzz it, generate clients from it and show
//! it to people. `cargo xtask setup` installs them.

#![allow(clippy::unwrap_used, reason = "a test that panics has failed, and says where")]

use std::io::{BufRead, BufReader};
use std::process::{Child, Stdio};

use std::path::{Path, PathBuf};
use std::process::Command;

/// The workspace.
fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap()
}

/// The program in its local role on a free port; killed when dropped.
struct Local {
    child: Child,
    url: String,
}

impl Local {
    fn start() -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_load_balancer"));
        command.env_clear().env("FLASH_PORT", "0").stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = command.spawn().unwrap();
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

/// What the tests need beside Rust.
fn tool(path: &str) -> PathBuf {
    let tool = root().join("target/tools").join(path);
    assert!(tool.exists(), "{} is missing\nhelp: run cargo xtask setup", tool.display());
    tool
}

fn source(name: &str) -> PathBuf {
    root().join("tests/foreign").join(name)
}

/// The example, and its OpenAPI document in a file.
struct Api {
    local: Local,
    folder: tempfile::TempDir,
}

impl Api {
    async fn start() -> Self {
        let local = Local::start();
        let folder = tempfile::tempdir().unwrap();
        let url = format!("{}/openapi.json", local.url);
        let request = flash::platform::HttpClient::new().request(reqwest::Method::GET, &url).unwrap();
        let document = request.send().await.unwrap().text().await.unwrap();
        std::fs::write(folder.path().join("openapi.json"), document).unwrap();
        Self { local, folder }
    }

    fn document(&self) -> PathBuf {
        self.folder.path().join("openapi.json")
    }
}

/// Runs a program to its end, and shows what it said where it fails.
async fn run(command: &mut Command) -> String {
    // A tool must not find settings of whoever runs the tests.
    command.env_clear().env("PATH", std::env::var_os("PATH").unwrap()).env("HOME", "/nonexistent");
    let line = format!("{command:?}");
    let mut command = std::mem::replace(command, Command::new("true"));
    let output = tokio::task::spawn_blocking(move || command.output()).await.unwrap().unwrap();
    let said = [output.stdout, output.stderr].concat();
    let said = String::from_utf8_lossy(&said).into_owned();
    assert!(output.status.success(), "{line} failed ({})\n{said}", output.status);
    said
}

/// How many examples of each operation are tried.
fn examples() -> usize {
    let scale = std::env::var("FLASH_TEST_SCALE").ok().and_then(|text| text.parse().ok()).unwrap_or(1);
    (5 * scale).clamp(5, 300)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_document_is_valid_and_the_server_keeps_to_it_whatever_is_sent() {
    let api = Api::start().await;
    let mut validator = Command::new(tool("python/bin/python"));
    run(validator.args(["-m", "openapi_spec_validator"]).arg(api.document())).await;

    // A form has texts only: a value of another type in its place is that value as text, which is a valid one.
    let form = "/03_05_load_balancer_cpu/upload";
    let checks = "not_a_server_error,status_code_conformance,content_type_conformance,response_headers_conformance,\
                  response_schema_conformance,unsupported_method";
    let and_refusals = format!("{checks},negative_data_rejection");
    for (which, checks, tested) in [("--exclude-path", &*and_refusals, 12), ("--include-path", checks, 1)] {
        let mut fuzzer = Command::new(tool("python/bin/schemathesis"));
        fuzzer.args(["run", &format!("{}/openapi.json", api.local.url), "--checks", checks, which, form]);
        // The same seed, so that a failure comes again.
        fuzzer.args(["--seed", "1", "--max-examples", &examples().to_string(), "--no-color"]);
        let said = run(fuzzer.current_dir(api.folder.path())).await;
        assert!(said.contains(&format!("Tested: {tested}\n")) && !said.contains("Failures:"), "{said}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_generated_python_client_calls_every_operation() {
    let api = Api::start().await;
    let package = api.folder.path().join("generated_client");
    let mut generator = Command::new(tool("python/bin/openapi-python-client"));
    generator.arg("generate").arg("--path").arg(api.document()).args(["--meta", "none", "--overwrite"]);
    generator.arg("--config").arg(source("openapi-python-client.yml")).arg("--output-path").arg(&package);
    let said = run(&mut generator).await;
    assert!(!said.contains("WARNING"), "parts of the document were left out: {said}");
    let mut client = Command::new(tool("python/bin/python"));
    client.arg(source("client.py")).arg(api.folder.path()).arg(&api.local.url);
    assert_eq!(run(&mut client).await.trim(), "all calls were answered");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_generated_typescript_client_compiles_and_calls() {
    let api = Api::start().await;
    let folder = api.folder.path();
    // Node looks for packages from the importing file upwards.
    std::os::unix::fs::symlink(tool("node/node_modules"), folder.join("node_modules")).unwrap();
    std::fs::write(folder.join("package.json"), r#"{"type": "module"}"#).unwrap();
    std::fs::copy(source("client.ts"), folder.join("client.ts")).unwrap();
    let bin = |name: &str| Path::new("node_modules/.bin").join(name);
    let mut generator = Command::new("node");
    generator.arg(bin("openapi-typescript")).arg(api.document()).args(["-o", "api.d.ts"]);
    // What has a default may be left out.
    generator.arg("--default-non-nullable=false");
    run(generator.current_dir(folder)).await;
    let mut compiler = Command::new("node");
    compiler.arg(bin("tsc")).args(["--strict", "--target", "es2022", "--module", "nodenext", "client.ts"]);
    run(compiler.current_dir(folder)).await;
    let mut client = Command::new("node");
    let said = run(client.args(["client.js", &api.local.url]).current_dir(folder)).await;
    assert_eq!(said.trim(), "all calls were answered");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_browser_shows_the_api_page_and_calls_from_it() {
    let api = Api::start().await;
    let app = api.local.url.strip_prefix("http://").unwrap().parse().unwrap();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let page = tokio::spawn(async move { axum::serve(listener, flash_local::api_page(app)).await });
    let script = api.folder.path().join("browser.mjs");
    std::fs::copy(source("browser.mjs"), &script).unwrap();
    std::os::unix::fs::symlink(tool("node/node_modules"), api.folder.path().join("node_modules")).unwrap();
    let path = std::env::var_os("PATH").unwrap();
    let chromium =
        std::env::split_paths(&path).map(|folder| folder.join("chromium")).find(|file| file.is_file());
    let chromium = chromium.expect("chromium is missing; help: run cargo xtask setup");
    let mut browser = Command::new("node");
    let url = format!("http://{address}{}", flash_local::API_PAGE);
    let said = run(browser.arg(&script).arg(chromium).arg(&url)).await;
    assert_eq!(said.trim(), "the page works");
    page.abort();
}
