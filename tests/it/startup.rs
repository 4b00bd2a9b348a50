//! What a program says when it cannot start, and what it describes.

use std::process::{Command, Output};

use serde_json::{Value, json};

fn run(program: &str, arguments: &[&str], environment: &[(&str, &str)]) -> Output {
    Command::new(program).args(arguments).env_clear().envs(environment.iter().copied()).output().unwrap()
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

const APP: &str = env!("CARGO_BIN_EXE_fixture-app");
const DUPLICATES: &str = env!("CARGO_BIN_EXE_fixture-duplicates");
const EMPTY: &str = env!("CARGO_BIN_EXE_fixture-empty");

#[test]
fn duplicates_are_named_with_both_places() {
    let output = run(DUPLICATES, &[], &[]);
    assert_eq!(output.status.code(), Some(5));
    let text = stderr(&output);
    let line = |needle: &str| {
        text.lines().find(|line| line.contains(needle)).unwrap_or_else(|| panic!("{needle}: {text}"))
    };
    for part in ["function `thing`", "route `GET /things/{id}`", "endpoint `same`"] {
        assert_eq!(line(part).matches("fixture_duplicates.rs:").count(), 2, "{text}");
    }
}

#[test]
fn an_empty_program_explains_itself() {
    let output = run(EMPTY, &[], &[]);
    assert_eq!(output.status.code(), Some(5));
    assert!(stderr(&output).contains("use my_app as _;"), "{}", stderr(&output));
}

#[test]
fn the_environment_is_checked() {
    for (environment, code, part) in [
        (
            &[("FLASH_RESOURCE_NAME", "nope"), ("FLASH_ENDPOINT_TYPE", "lb")][..],
            2,
            "it has `api`, `counter`, `echo`, ",
        ),
        (&[("FLASH_ENDPOINT_TYPE", "xx")], 2, "it is `lb` or `qb`"),
        (&[("FLASH_RESOURCE_NAME", "api"), ("FLASH_ENDPOINT_TYPE", "qb")], 2, "declared as HTTP"),
        (
            &[("FLASH_RESOURCE_NAME", "echo"), ("FLASH_ENDPOINT_TYPE", "qb")],
            2,
            "RUNPOD_WEBHOOK_GET_JOB is not set",
        ),
        (
            &[("FLASH_ENDPOINT_TYPE", "qb"), ("RUNPOD_WEBHOOK_GET_JOB", "http://127.0.0.1:1/x")],
            2,
            "FLASH_RESOURCE_NAME must name one",
        ),
        (&[("FLASH_PORT", "many")], 2, "FLASH_PORT=`many`"),
        (&[("FLASH_RESOURCES_ENDPOINTS", "[]")], 2, "FLASH_RESOURCES_ENDPOINTS"),
    ] {
        let output = run(APP, &[], environment);
        assert_eq!(output.status.code(), Some(code), "{environment:?} {}", stderr(&output));
        assert!(stderr(&output).contains(part), "{environment:?} {}", stderr(&output));
    }
}

#[test]
fn a_taken_port_has_its_own_exit_code() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let environment = [
        ("FLASH_ENDPOINT_TYPE", "lb"),
        ("FLASH_RESOURCE_NAME", "api"),
        ("FLASH_HOST", "127.0.0.1"),
        ("PORT", port.as_str()),
    ];
    // The local role has another name for it.
    for (environment, help) in
        [(&environment[..], "with PORT,"), (&[("FLASH_PORT", port.as_str())], "with FLASH_PORT")]
    {
        let output = run(APP, &[], environment);
        assert_eq!(output.status.code(), Some(3), "{}", stderr(&output));
        assert!(stderr(&output).contains(&port) && stderr(&output).contains(help), "{}", stderr(&output));
    }
}

#[test]
fn one_function_runs_from_the_command_line() {
    let output = run(APP, &["call", "check", r#"{"text": "abc"}"#], &[]);
    assert_eq!(String::from_utf8_lossy(&output.stdout).trim(), "3");
    let output = run(APP, &["call", "check", r#"{"text": 1}"#], &[]);
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr(&output).contains("input.text: expected a string, got integer"), "{}", stderr(&output));
    let output = run(APP, &["call", "chekc"], &[]);
    assert!(stderr(&output).contains("did you mean `check`?"), "{}", stderr(&output));
    let output = run(APP, &["serve"], &[]);
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).contains("usage:"));
}

#[test]
fn a_test_job_that_cannot_be_run_says_why() {
    for (job, part) in [
        (r#"{"input": {"text": "a"}}"#, "this one has `counter`, `echo`"),
        (r#"{"input": "#, "the test job is not usable"),
        (r#"{"input": null}"#, "no `input`"),
    ] {
        let output = run(APP, &["--test_input", job], &[]);
        assert_eq!(output.status.code(), Some(1), "{job}");
        assert!(stderr(&output).contains(part), "{job}: {}", stderr(&output));
        assert!(output.stdout.is_empty());
    }
}

fn describe() -> Value {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("manifest.json");
    let output = run(APP, &[], &[("FLASH_DESCRIBE", file.to_str().unwrap())]);
    assert!(output.status.success(), "{}", stderr(&output));
    serde_json::from_str(&std::fs::read_to_string(file).unwrap()).unwrap()
}

#[test]
fn the_binary_describes_itself_the_same_way_every_time() {
    let manifest = describe();
    assert_eq!(manifest, describe());
    assert_eq!(manifest["project_name"], "fixture-app");
    let calls = |name: &str| manifest["resources"][name]["makes_remote_calls"].clone();
    assert_eq!((calls("api"), calls("echo"), calls("mixed")), (json!(true), json!(false), json!(false)));
    assert_eq!(manifest["resources"]["api"]["remote_calls"], json!(["mixed"]));
    assert_eq!(manifest["resources"]["echo"]["resource_type"], "CpuServerlessEndpoint");
    assert_eq!(manifest["resources"]["echo"]["max_concurrency"], 4);
    assert_eq!(manifest["routes"]["api"]["PUT /items/{id}"], "put_item");
    assert_eq!(manifest["function_registry"]["check"], "mixed");
    assert!(manifest.get("generated_at").is_none());
    // Who packs the binary knows its hash.
    assert!(manifest["rust"].is_object() && manifest["rust"].get("binary_sha256").is_none());
}

/// Describing an app asks each type whether it may be missing. One that panics then spoils its own calls, and not the app.
#[test]
fn a_type_that_panics_when_it_is_read_is_described_as_any_other() {
    let manifest = describe();
    assert_eq!(manifest["function_registry"]["web_explosive"], "web");
    let paths = manifest["rust"]["openapi"]["paths"].as_object().unwrap();
    let (_, path) = paths.iter().find(|(path, _)| path.ends_with("/explosive")).unwrap();
    let schema = &path["post"]["requestBody"]["content"]["application/json"]["schema"];
    assert_eq!(schema["required"], json!(["text", "explosive"]), "{path}");
}

#[test]
fn the_binary_carries_the_marker_of_the_describe_protocol() {
    let binary = std::fs::read(APP).unwrap();
    let marker = b"flash-describe-protocol: 1";
    assert!(binary.windows(marker.len()).any(|window| window == marker));
}

#[test]
fn the_request_of_the_guide_of_queues_is_one() {
    let guide = include_str!("../../docs/queue.md");
    let block = guide.split("```json\n").nth(1).unwrap().split("```").next().unwrap();
    let request: flash_core::wire::RunRequest = serde_json::from_str(block).unwrap();
    let policy = request.policy.unwrap();
    assert_eq!(
        (policy.execution_timeout, policy.ttl, policy.low_priority),
        (Some(60_000), Some(3_600_000), Some(true))
    );
    assert!(request.webhook.is_some());
}

/// Whoever meets a code finds it there.
#[test]
fn the_guide_of_troubleshooting_has_every_code() {
    let codes = include_str!("../../flash-core/src/error/code.rs");
    let guide = include_str!("../../docs/troubleshooting.md");
    let codes: Vec<&str> =
        codes.lines().filter_map(|line| line.strip_prefix("pub const ")?.split('"').nth(1)).collect();
    assert!(codes.len() > 20);
    for code in codes {
        let has = |line: &str| line.starts_with('|') && line.contains(&format!("`{code}`"));
        assert!(guide.lines().any(has), "{code}");
    }
}

#[test]
fn state_that_cannot_be_built_names_who_needs_it() {
    let directory = tempfile::tempdir().unwrap();
    let gate = directory.path().join("gate");
    std::fs::write(&gate, "broken").unwrap();
    let environment = [
        ("FLASH_ENDPOINT_TYPE", "lb"),
        ("FLASH_RESOURCE_NAME", "gated"),
        ("FLASH_HOST", "127.0.0.1"),
        ("PORT", "0"),
        ("FIXTURE_GATE", gate.to_str().unwrap()),
    ];
    let output = run(APP, &[], &environment);
    assert_eq!(output.status.code(), Some(4), "{}", stderr(&output));
    let text = stderr(&output);
    assert!(text.contains("`gate` of endpoint `gated`") && text.contains("the gate is broken"), "{text}");
}
