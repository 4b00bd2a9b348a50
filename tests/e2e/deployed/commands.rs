use std::path::PathBuf;

use super::Machine;
use super::running::Running;

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
        let (ended, document, errors) = machine.failed(args);
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
fn doctor_says_for_each_thing_that_is_missing_how_to_get_it() {
    let machine = Machine::nowhere();
    let (code, doctor, errors) = machine.failed(&["doctor"]);
    assert_eq!((code, &doctor["healthy"]), (Some(1), &false.into()), "{doctor} {errors}");
    let findings = doctor["findings"].as_array().unwrap().iter().filter(|finding| finding["ok"] == false);
    let problems: Vec<_> =
        findings.map(|one| (one["what"].as_str().unwrap(), one["next"].as_str().unwrap())).collect();
    assert_eq!(problems, [("project", "flash init my-app"), ("key", "flash platform start")], "{doctor}");
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
        let (code, _, errors) = machine.failed(args);
        assert_eq!(code, Some(2), "{errors}");
        assert!(errors.contains("--force"), "{errors}");
    }
    let again = machine.run(&["deploy", "new", "staging", "--app-name", "shop"]);
    assert_eq!(again.status.code(), Some(1));
    let (code, _, errors) = machine.failed(&["app", "delete", "shop", "--force"]);
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
    let (code, document, errors) = machine.failed(&["platform", "repair"]);
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

/// A package that is no app, for what a command says about it.
fn package(machine: &Machine, cargo: &str) {
    let write = |name: &str, text: &str| std::fs::write(machine.dir().join(name), text).unwrap();
    let head = "[package]\nname = \"shop\"\nversion = \"0.1.0\"\nedition = \"2024\"\n[workspace]\n";
    write("Cargo.toml", &format!("{head}{cargo}"));
    std::fs::create_dir_all(machine.dir().join("src")).unwrap();
    write("src/main.rs", "fn main() { no_such_function(); }\n");
}

#[test]
fn an_app_that_cannot_be_one_ends_with_code_5() {
    let machine = Machine::nowhere();
    for (cargo, args, text) in [
        ("", &["build"][..], "does not compile"),
        ("", &["manifest", "--binary", "/bin/true"], "not a Flash app"),
        ("[package.metadata.flash]\nassests = []\n", &["build"], "assests"),
        (
            "[package.metadata.flash]\nassets = [\"none\"]\n",
            &["build", "--binary", env!("CARGO_BIN_EXE_fixture-shop")],
            "none",
        ),
        ("[profile.dev]\npanic = \"abort\"\n", &["build"], "panic"),
        ("", &["build", "--binary", env!("CARGO_BIN_EXE_fixture-empty")], "no"),
    ] {
        package(&machine, cargo);
        let (code, document, errors) = machine.failed(args);
        assert_eq!(code, Some(5), "{args:?}: {errors}");
        assert!(document["error"]["message"].as_str().unwrap().contains(text), "{args:?}: {document}");
    }
}

#[test]
fn a_key_that_is_refused_ends_with_code_4_and_says_where_it_is_from() {
    let machine = Machine::nowhere();
    machine.flash(&["platform", "start"]);
    let (base, _) = machine.access();
    let args = ["app", "list", "--json"];
    let output = machine
        .command(&args)
        .env("RUNPOD_API_BASE_URL", &base)
        .env("RUNPOD_API_KEY", "fake-wrong-key")
        .output()
        .unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(4), "{errors}");
    assert!(errors.contains("RUNPOD_API_KEY") && !errors.contains("fake-wrong-key"), "{errors}");
}

#[test]
fn a_login_is_approved_in_a_browser_and_its_key_is_used_from_then_on() {
    let machine = Machine::nowhere();
    machine.flash(&["platform", "start"]);
    let (base, key) = machine.access();
    let command = |args: &[&str]| {
        let mut command = machine.command(args);
        command.env("RUNPOD_API_BASE_URL", &base).env("RUNPOD_CONSOLE_URL", &base).env("HOME", machine.dir());
        command
    };
    let running = Running::of(command(&["login"]));
    let line = running.until("/flash/login?request=");
    let request = line.trim().rsplit('=').next().unwrap();
    let form = format!("request={request}&key={key}");
    let url = format!("{base}/flash/login");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let approved = runtime.block_on(async {
        let asked = flash_platform::HttpClient::new().request(reqwest::Method::POST, &url).unwrap();
        let asked = asked.header("content-type", "application/x-www-form-urlencoded").body(form);
        asked.send().await.unwrap().status()
    });
    assert_eq!(approved, 200);
    running.until("logged in");
    running.ended();
    let listed = command(&["app", "list", "--json"]).output().unwrap();
    assert!(listed.status.success(), "{}", String::from_utf8_lossy(&listed.stderr));
    let file = std::fs::read_to_string(machine.dir().join(".runpod/config.toml")).unwrap();
    assert!(file.contains(&key), "{file}");
}
