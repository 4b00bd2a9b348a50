//! Stateful workers as processes.

use std::process::{Command, Output};

use serde_json::{Value, json};

fn run(arguments: &[&str], environment: &[(&str, &str)]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_fixture-class"))
        .args(arguments)
        .env_clear()
        .envs(environment.iter().copied())
        .output()
        .unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[test]
fn a_job_builds_its_instance_and_the_end_of_the_process_ends_it() {
    for (job, answer, start, end) in [
        (r#"{"input": {"method": "add", "by": 2}}"#, "102", 100, 102),
        (r#"{"input": {"method": "add", "by": 2, "init": {"start": 5}}}"#, "7", 5, 7),
        (r#"{"input": {"method": "total", "init": {}}}"#, "100", 100, 100),
    ] {
        let output = run(&["--test_input", job], &[]);
        let stderr = text(&output.stderr);
        assert_eq!(text(&output.stdout).trim(), answer, "{job} {stderr}");
        let begin = stderr.find(&format!("tally begins at {start}"));
        let ended = stderr.find(&format!("tally ends at {end}"));
        assert!(begin.is_some() && begin < ended, "{job} {stderr}");
    }
}

#[test]
fn what_a_job_may_say_is_told() {
    for (job, part) in [
        (r#"{"input": {"by": 2}}"#, "several functions: `add`, `total`"),
        (r#"{"input": {"method": "ad", "by": 2}}"#, "did you mean `add`?"),
        (r#"{"input": {"method": "total", "init": {"strat": 1}}}"#, "input.init.strat: unknown field"),
        (r#"{"input": {"method": "total", "init": {"start": 13}}}"#, "class `Tally`: 13 brings bad luck"),
    ] {
        let output = run(&["--test_input", job], &[]);
        assert_eq!(output.status.code(), Some(1), "{job}");
        assert!(text(&output.stderr).contains(part), "{job} {}", text(&output.stderr));
    }
}

#[test]
fn a_worker_that_cannot_be_built_does_not_start_and_names_its_class() {
    let environment = [
        ("FLASH_ENDPOINT_TYPE", "lb"),
        ("FLASH_RESOURCE_NAME", "scores"),
        ("FLASH_HOST", "127.0.0.1"),
        ("PORT", "0"),
    ];
    let output = run(&[], &environment);
    assert_eq!(output.status.code(), Some(4), "{}", text(&output.stderr));
    assert!(text(&output.stderr).contains("class `Scores`: no table None"), "{}", text(&output.stderr));
}

#[test]
fn the_manifest_has_the_class_as_python_has_it() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("manifest.json");
    let output = run(&[], &[("FLASH_DESCRIBE", file.to_str().unwrap())]);
    assert!(output.status.success(), "{}", text(&output.stderr));
    let manifest: Value = serde_json::from_str(&std::fs::read_to_string(file).unwrap()).unwrap();
    let tally = &manifest["resources"]["tally"]["functions"];
    assert_eq!(tally.as_array().map(Vec::len), Some(1), "{tally}");
    assert_eq!(
        (&tally[0]["name"], &tally[0]["is_class"], &tally[0]["class_methods"]),
        (&json!("Tally"), &json!(true), &json!(["add", "total"]))
    );
    assert_eq!(manifest["resources"]["scores"]["remote_calls"], json!(["tally"]));
    assert_eq!(manifest["routes"]["scores"]["GET /scores"], "Scores-best");
}
