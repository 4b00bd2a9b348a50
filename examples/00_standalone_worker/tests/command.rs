//! The program itself, called from the command line.

use std::process::{Command, Output};

fn call(input: &str) -> Output {
    Command::new(env!("CARGO_BIN_EXE_standalone_worker"))
        .args(["call", "process", input])
        .output()
        .expect("the program starts")
}

#[test]
fn rounds_may_be_left_out() {
    let output = call(r#"{"text": "hello world"}"#);
    let answer: serde_json::Value = serde_json::from_slice(&output.stdout).expect("the program prints JSON");
    assert_eq!((answer["input"]["rounds"].as_u64(), answer["word_count"].as_u64()), (Some(1), Some(2)));
}

#[test]
fn a_missing_text_and_an_unknown_name_are_told() {
    for (input, expected) in
        [("{}", "text"), (r#"{"text": "a", "txet": "b"}"#, "txet"), (r#"{"text": 1}"#, "text")]
    {
        let output = call(input);
        let error = String::from_utf8_lossy(&output.stderr);
        assert!(!output.status.success() && error.contains(expected), "{input}: {error}");
    }
}
