//! REST v2 against RunPod's own document, by a program that nobody here wrote: `schemathesis` makes requests from the document,
//! good and bad ones, and looks whether statuses, headers and bodies of the answers are among those that it describes.
//!
//! `schemas/runpod-rest-v2.json` is that document, cut down to the operations that are served and without its prose.

use std::path::Path;
use std::process::Stdio;

use flash_local::{Limits, LocalPlatform};

use crate::control::KEY;
use crate::support::quick;

/// Requests that are made up for each operation, in percent of this many.
const EXAMPLES: u64 = 200;

fn examples() -> String {
    let scale: u64 = std::env::var("FLASH_TEST_SCALE").ok().and_then(|text| text.parse().ok()).unwrap_or(10);
    (EXAMPLES * scale / 100).max(5).to_string()
}

#[tokio::test]
async fn rest_v2_answers_as_its_document_says() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let python = root.join("target/tools/python/bin/python");
    assert!(python.is_file(), "{} is missing\nhelp: run cargo xtask setup", python.display());
    let many = usize::MAX;
    let limits = Limits { rest_minute: many, rest_hour: many, rest_day: many, ..quick() };
    let platform =
        LocalPlatform::builder().limits(limits).api_key(KEY).control_plane(true).start().await.unwrap();
    let run = tokio::process::Command::new(python)
        .args(["-m", "schemathesis.cli", "run"])
        .arg(root.join("schemas/runpod-rest-v2.json"))
        .args(["--url", &platform.base_url(), "--header", &format!("Authorization: Bearer {KEY}")])
        .args([
            "--max-examples",
            &examples(),
            "--phases",
            "examples,coverage,fuzzing",
            "--generation-deterministic",
        ])
        .args(["--checks", CHECKS, "--continue-on-failure", "--no-color", "--warnings", "off"])
        .args(["--request-timeout", "20"])
        .current_dir(tempfile::tempdir().unwrap().path())
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output()
        .await
        .unwrap();
    let said = String::from_utf8_lossy(&run.stdout);
    assert!(run.status.success(), "{said}\n{}", String::from_utf8_lossy(&run.stderr));
    platform.shutdown().await;
}

/// Not among them: `positive_data_acceptance`, because the document leaves out what can not be (a name of a variable with `=` in
/// it, a volume that does not exist).
const CHECKS: &str = "not_a_server_error,status_code_conformance,content_type_conformance,response_headers_conformance,\
                      response_schema_conformance,negative_data_rejection,ignored_auth,unsupported_method,allow_header_conformance";

#[tokio::test]
#[ignore = "not a test: serves until it is killed, for whoever looks for a failure by hand"]
async fn serve() {
    let many = usize::MAX;
    let limits = Limits { rest_minute: many, rest_hour: many, rest_day: many, ..quick() };
    let address = std::env::var("SERVE_AT").unwrap_or_else(|_| "127.0.0.1:0".to_owned()).parse().unwrap();
    let builder = LocalPlatform::builder().limits(limits).api_key(KEY).control_plane(true);
    let platform = builder.address(address).start().await.unwrap();
    assert!(platform.base_url().contains("127.0.0.1"));
    std::future::pending::<()>().await;
}
