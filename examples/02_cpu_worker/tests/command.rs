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
