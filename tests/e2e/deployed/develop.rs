use std::path::PathBuf;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::Machine;
use super::load::{Load, Probe};
use super::running::Running;
use crate::processes::root;

fn greet(base: &str) -> Probe {
    let url = format!("{base}/lb/api/greet");
    Probe { method: "POST", url, key: String::new(), body: Some(json!({"name": "Ada"})) }
}

/// Asks until the answer has this in it.
fn served(probe: &Probe, text: &str) {
    let begun = Instant::now();
    loop {
        let answer = probe.send_now();
        if answer.as_ref().is_ok_and(|answer: &Value| answer.to_string().contains(text)) {
            return;
        }
        assert!(begun.elapsed() < Duration::from_secs(120), "{text:?} is not served: {answer:?}");
    }
}

/// A new app, from its template to an edit that is served while requests go on, and an edit that does not compile.
#[test]
fn an_edit_is_served_and_an_error_leaves_the_last_good_build() {
    // Always the same place, so that cargo has built what it depends on.
    let dir = root().join("target/e2e-init/my-app");
    let _ = std::fs::remove_dir_all(&dir);
    std::fs::create_dir_all(dir.parent().unwrap()).unwrap();
    let machine = Machine::in_dir(dir.parent().unwrap().to_owned());
    let flash: PathBuf = root().join("flash");
    machine.flash(&["init", "my-app", "--flash", flash.to_str().unwrap()]);
    let again = machine.run(&["init", "my-app"]);
    assert_eq!(again.status.code(), Some(1), "an app was made over another one");

    // The versions that the tests were built with: nothing is asked of a registry, and most of it is built.
    std::fs::copy(root().join("Cargo.lock"), dir.join("Cargo.lock")).unwrap();
    let machine = Machine::in_dir(dir);
    let running = Running::start(&machine, &["run", "--port", "0"]);
    let greet = greet(&running.base());
    served(&greet, "Hello, Ada! Your name has 1 words.");

    let load = Load::start(greet.clone());
    machine.edit("src/lib.rs", "Hello, {name}!", "Good day, {name}!");
    running.until("serving release 2");
    served(&greet, "Good day, Ada!");
    assert!(load.stop() > 0);

    machine.edit("src/lib.rs", "Good day, {name}!", "Good day, {nobody}!");
    running.until("the last good build goes on serving");
    served(&greet, "Good day, Ada!");
    machine.edit("src/lib.rs", "Good day, {nobody}!", "Good evening, {name}!");
    served(&greet, "Good evening, Ada!");
    running.interrupt();
    follows_edits_on_the_platform(&machine);
    goes_away_again(&machine);
}

/// `flash run --auto-provision`: deployed, every edit rolled out, removed on Ctrl-C.
fn follows_edits_on_the_platform(machine: &Machine) {
    machine.flash(&["platform", "start"]);
    let running = Running::start(machine, &["run", "--auto-provision"]);
    running.until("every endpoint is provisioned");
    let environments = machine.json(&["env", "list"])["environments"].clone();
    let name = environments[0]["name"].as_str().unwrap();
    assert!(name.starts_with("live-") && environments[0]["leased_until"].is_string(), "{environments}");
    let call = ["call", "greet", "{\"name\": \"Ada\"}"];
    assert!(machine.flash(&call).contains("Good evening, Ada!"));
    machine.edit("src/lib.rs", "Good evening, {name}!", "Good night, {name}!");
    running.until("the edit is served");
    // The last of the old workers may still finish what it has.
    let begun = Instant::now();
    while !machine.flash(&call).contains("Good night, Ada!") {
        assert!(begun.elapsed() < Duration::from_secs(60), "old workers go on answering");
    }
    running.interrupt();
    nothing_left(machine);
}

/// No app is known, and no process of one runs: workers of a deleted endpoint may still be ending.
fn nothing_left(machine: &Machine) {
    assert_eq!(machine.json(&["app", "list"])["apps"], json!([]));
    let begun = Instant::now();
    while !machine.processes().is_empty() {
        assert!(begun.elapsed() < Duration::from_secs(60), "{:?}", machine.processes());
        std::thread::yield_now();
    }
}

/// `flash deploy --temporary`: gone after its command, after its lease, and after `kill -9`.
fn goes_away_again(machine: &Machine) {
    let smoke = ["--call", "greet {\"name\": \"Ada\"}", "--call", "count {\"text\": \"one two\"}"];
    let then = ["--json", "--", "sh", "-c", "test -n \"$FLASH_ENV\" && exit 7"];
    let output = machine.run(&[&["deploy", "--temporary"][..], &smoke, &then].concat());
    let errors = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(7), "{errors}");
    let document: Value = serde_json::from_slice(&output.stdout).unwrap();
    machine.printed(&["deploy"], &document);
    let answers: Vec<&Value> =
        document["temporary"]["smoke"].as_array().unwrap().iter().map(|call| &call["result"]).collect();
    assert_eq!(answers, [&json!("Good night, Ada! Your name has 1 words."), &json!(2)]);
    assert!(errors.contains("removed, confirmed gone"), "{errors}");
    nothing_left(machine);

    // A smoke call that fails, and a lease that is over in the middle of it.
    for (args, expected) in
        [(&["--call", "greet {}"][..], "smoke call of `greet` failed"), (&["--ttl", "1s"], "lease")]
    {
        let output = machine.run(&[&["deploy", "--temporary"], args].concat());
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.code() == Some(1) && errors.contains(expected), "{errors}");
        nothing_left(machine);
    }

    // The process that would clean up is gone at once, and the one that watches it is not.
    let running = Running::start(machine, &["deploy", "--temporary"]);
    running.until("Ctrl-C removes it");
    assert!(!machine.workers().is_empty());
    running.kill();
    let begun = Instant::now();
    let kept = || {
        let files = std::fs::read_dir(machine.dir().join(".flash")).unwrap();
        files.filter_map(|file| file.ok()?.file_name().into_string().ok()).find(|name| name.ends_with(".log"))
    };
    while machine.json(&["app", "list"])["apps"] != json!([]) || kept().is_some() {
        assert!(begun.elapsed() < Duration::from_secs(60), "nobody removes what a killed command left");
        std::thread::yield_now();
    }
    nothing_left(machine);

    // What costs too much, or an unknown amount, is refused before anything is made.
    let (code, _, errors) = machine.failed(&["deploy", "--temporary", "--max-hourly", "1"]);
    assert!(
        code == Some(1) && errors.contains("no price is known for api (cpu3c); words (cpu3c)"),
        "{errors}"
    );
    let toml = machine.dir().join("flash.toml");
    let before = std::fs::read_to_string(&toml).unwrap();
    std::fs::write(&toml, format!("{before}\n[prices]\ncpu3c = 0.5\n")).unwrap();
    let (code, _, errors) = machine.failed(&["deploy", "--max-hourly", "$2.9"]);
    assert!(code == Some(1) && errors.contains("$3.00"), "{errors}");
    let plan = machine.json(&["deploy", "--dry-run", "--max-hourly", "3"]);
    assert_eq!(
        (&plan["cost"]["hourly_min"], &plan["cost"]["hourly_max"]),
        (&json!(0.0), &json!(3.0)),
        "{plan}"
    );
    std::fs::write(&toml, before).unwrap();
    nothing_left(machine);
}
