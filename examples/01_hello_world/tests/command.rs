//! The program itself, called from the command line.

use std::process::Command;

fn message(input: &str) -> serde_json::Value {
    let output = Command::new(env!("CARGO_BIN_EXE_hello_world"))
        .args(["call", "gpu_hello", input])
        .output()
        .expect("the program starts");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let answer: serde_json::Value = serde_json::from_slice(&output.stdout).expect("the program prints JSON");
    answer["message"].clone()
}

#[test]
fn a_message_is_repeated() {
    assert_eq!(message(r#"{"message": "Hello GPU!"}"#), "Hello GPU!");
}

#[test]
fn without_a_message_there_is_a_default() {
    assert_eq!(message("{}"), "Hello from GPU worker!");
}
