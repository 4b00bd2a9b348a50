use std::path::PathBuf;

use serde_json::Value;

use super::Machine;

fn failed(machine: &Machine, args: &[&str]) -> (Option<i32>, Value, String) {
    let output = machine.command(&[args, &["--json"]].concat()).env("HOME", machine.dir()).output().unwrap();
    let document = serde_json::from_slice(&output.stdout).unwrap_or_default();
    (output.status.code(), document, String::from_utf8_lossy(&output.stderr).into_owned())
}

#[test]
fn what_cannot_be_done_says_what_to_do_and_ends_with_its_code() {
    let machine = Machine::nowhere();
    for (args, code, help) in [
        (&["ps", "--app-name", "x"][..], 4, "RUNPOD_API_KEY"),
        (&["ps", "--app-name", "x", "--platform", "local"], 1, "flash platform start"),
        (&["build"], 1, "flash init"),
        (&["deploy", "--platform", "local"], 1, "flash platform start"),
        (&["init", "7up"], 2, "letter"),
        (&["init", "flash"], 2, "taken"),
    ] {
        let (ended, document, errors) = failed(&machine, args);
        assert_eq!(ended, Some(code), "{args:?}: {errors}");
        assert_eq!(document["error"]["exit_code"], code, "{args:?}: {document}");
        let said = document["error"]["help"].as_str().unwrap_or_default();
        assert!(said.contains(help), "{args:?}: {document}");
    }
    let output = machine.run(&["frobnicate"]);
    assert_eq!(output.status.code(), Some(2));
    // Nobody looks at a pipe's colours.
    assert!(!output.stderr.contains(&0x1b));
}

#[test]
fn without_a_terminal_nothing_is_destroyed_and_nothing_is_asked() {
    let machine = Machine::nowhere();
    machine.flash(&["platform", "start"]);
    machine.flash(&["deploy", "new", "staging", "--app-name", "shop"]);
    for args in [
        &["deploy", "delete", "staging", "--app-name", "shop"][..],
        &["env", "delete", "staging", "--app-name", "shop"],
    ] {
        let (code, _, errors) = failed(&machine, args);
        assert_eq!(code, Some(2), "{errors}");
        assert!(errors.contains("--force"), "{errors}");
    }
    let again = machine.run(&["deploy", "new", "staging", "--app-name", "shop"]);
    assert_eq!(again.status.code(), Some(1));
    let (code, _, errors) = failed(&machine, &["app", "delete", "shop", "--force"]);
    assert!(code == Some(1) && errors.contains("flash env delete staging"), "{errors}");
    assert_eq!(machine.json(&["env", "list", "--app-name", "shop"])["environments"][0]["name"], "staging");
    machine.flash(&["env", "delete", "staging", "--app-name", "shop", "--force"]);
    machine.flash(&["app", "delete", "shop", "--force"]);
    assert_eq!(machine.json(&["app", "list"])["apps"], serde_json::json!([]));
}

#[test]
fn the_local_platform_is_one_per_directory_and_keeps_what_it_has() {
    let machine = Machine::nowhere();
    assert_eq!(machine.json(&["platform", "status"])["running"], false);
    let first = machine.json(&["platform", "start"]);
    let second = machine.json(&["platform", "start"]);
    assert_eq!(first["pid"], second["pid"]);
    machine.flash(&["deploy", "new", "staging", "--app-name", "shop"]);
    machine.flash(&["platform", "stop"]);
    assert_eq!(machine.json(&["platform", "status"])["running"], false);
    machine.flash(&["platform", "start"]);
    assert_eq!(machine.json(&["env", "list", "--app-name", "shop"])["environments"][0]["name"], "staging");
    // Nothing is repaired below a platform that runs.
    let (code, document, errors) = failed(&machine, &["platform", "repair"]);
    assert_eq!(code, Some(1), "{document} {errors}");
    machine.flash(&["platform", "stop"]);
    let repaired = machine.json(&["platform", "repair"]);
    assert_eq!((&repaired["damaged"], &repaired["lost_commits"]), (&serde_json::json!([]), &0.into()));
}

#[test]
fn the_platforms_numbers_are_printed_with_their_sources() {
    let machine = Machine::nowhere();
    let numbers = machine.json(&["platform", "parity"])["numbers"].clone();
    let numbers = numbers.as_array().unwrap();
    let text = machine.flash(&["platform", "parity"]);
    assert!(numbers.len() > 20);
    for number in numbers {
        let column = |key: &str| number[key].as_str().unwrap();
        assert!(text.contains(column("name")) && text.contains(column("source")), "{number}");
        assert!(!column("grade").is_empty(), "{number}");
    }
}

#[test]
fn completions_and_man_pages_cover_every_command() {
    let machine = Machine::nowhere();
    for shell in ["bash", "zsh", "fish"] {
        let text = machine.flash(&["completions", shell]);
        assert!(text.contains("undeploy") && text.contains("platform"), "{shell}");
    }
    let pages: PathBuf = machine.dir().join("man");
    machine.flash(&["man", pages.to_str().unwrap()]);
    for page in ["flash.1", "flash-deploy.1", "flash-platform-start.1"] {
        assert!(pages.join(page).exists(), "{page}");
    }
}
