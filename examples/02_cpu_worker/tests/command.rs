//! The program itself, called from the command line.

use std::process::Command;

fn greeting(input: &str) -> serde_json::Value {
    let output = Command::new(env!("CARGO_BIN_EXE_cpu_worker"))
        .args(["call", "cpu_hello", input])
        .output()
        .expect("the program starts");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let answer: serde_json::Value = serde_json::from_slice(&output.stdout).expect("the program prints JSON");
    answer["message"].clone()
}

#[test]
fn without_a_name_the_panda_is_greeted() {
    assert_eq!(greeting("{}"), "Hello, Anonymous Panda!");
}

// The Python example once passed the wrong key on and greeted the panda whatever it was told.
#[test]
fn a_name_that_was_sent_is_greeted() {
    assert_eq!(greeting(r#"{"name": "Flash User"}"#), "Hello, Flash User!");
}

#[test]
fn a_misspelt_name_is_refused() {
    let output = Command::new(env!("CARGO_BIN_EXE_cpu_worker"))
        .args(["call", "cpu_hello", r#"{"nmae": "Flash User"}"#])
        .output()
        .expect("the program starts");
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success() && error.contains("nmae") && error.contains("`name`"), "{error}");
}

#[test]
fn a_test_job_runs_as_the_python_worker_runs_one() {
    let program = env!("CARGO_BIN_EXE_cpu_worker");
    let job = r#"{"input": {"name": "Flash User"}}"#;
    let flag = Command::new(program).args(["--test_input", job]).output().expect("the program starts");
    assert!(String::from_utf8_lossy(&flag.stdout).contains("Hello, Flash User!"));

    let directory = tempfile::tempdir().expect("a temporary directory");
    std::fs::write(directory.path().join("test_input.json"), job).expect("the file is written");
    let file = Command::new(program).current_dir(directory.path()).output().expect("the program starts");
    assert!(file.status.success(), "{}", String::from_utf8_lossy(&file.stderr));
    assert!(String::from_utf8_lossy(&file.stdout).contains("Hello, Flash User!"));

    let bad = Command::new(program)
        .args(["--test_input", r#"{"name": "x"}"#])
        .output()
        .expect("the program starts");
    assert_eq!(bad.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&bad.stderr).contains("no `input`"));
}
