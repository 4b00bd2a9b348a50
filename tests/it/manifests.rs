//! A worker and the manifest of its build.

use std::path::Path;
use std::process::{Command, Output};

use serde_json::{Value, json};

const SHOP: &str = env!("CARGO_BIN_EXE_fixture-shop");

/// Starts a program as a worker that the platform starts, in this directory. It ends soon, because nobody tells it where its
/// jobs are: whatever is wrong with the manifest is told before.
fn start(program: &Path, dir: &Path, environment: &[(&str, &str)]) -> (Option<i32>, String) {
    let output = command(program, dir).envs(environment.iter().copied()).output().unwrap();
    (output.status.code(), text(&output))
}

fn command(program: &Path, dir: &Path) -> Command {
    let mut command = Command::new(program);
    command.current_dir(dir).env_clear().env("RUNPOD_ENDPOINT_ID", "ep-1").env("FLASH_ENDPOINT_TYPE", "qb");
    command
}

fn text(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stderr), String::from_utf8_lossy(&output.stdout))
}

fn described() -> Value {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("manifest.json");
    let output = Command::new(SHOP).env_clear().env("FLASH_DESCRIBE", &file).output().unwrap();
    assert!(output.status.success(), "{}", text(&output));
    serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap()
}

/// What a worker says that got past its manifest.
const PAST: (i32, &str) = (2, "RUNPOD_WEBHOOK_GET_JOB is not set");

#[test]
fn a_worker_serves_no_functions_but_those_of_its_manifest() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("the_manifest.json");
    let good = described();
    let with = |change: fn(&mut Value)| {
        let mut manifest = good.clone();
        change(&mut manifest);
        manifest.to_string()
    };
    for (manifest, (code, part)) in [
        (with(|_| {}), PAST),
        // Older manifests have no hash, and those of Python no such section.
        (with(|m| m["rust"] = Value::Null), PAST),
        (
            with(|m| m["rust"]["function_table_sha256"] = json!("0")),
            (5, "the parameters of a function differ"),
        ),
        (
            with(|m| {
                m["rust"]["function_table_sha256"] = json!("0");
                let functions = m["function_registry"].as_object_mut().unwrap();
                functions.remove("count");
                functions.insert("tally".to_owned(), json!("words"));
            }),
            (5, "does not have `tally` of `words`, and has `count` of `words`"),
        ),
        (
            with(|m| {
                m["rust"] = json!({});
                m["routes"]["shop"] = json!({});
            }),
            (
                5,
                "also has route `GET /stock` of `shop`, route `GET /variables` of `shop`, route `POST /count` of `shop`",
            ),
        ),
        (with(|m| m["resources"]["words"]["workersMax"] = json!("many")), (5, "resources.words.workersMax")),
        ("{".to_owned(), (5, "the_manifest.json")),
    ] {
        std::fs::write(&path, &manifest).unwrap();
        let environment = [("FLASH_MANIFEST_PATH", path.to_str().unwrap()), ("FLASH_RESOURCE_NAME", "words")];
        let (ended, said) = start(Path::new(SHOP), dir.path(), &environment);
        assert!(ended == Some(code) && said.contains(part), "{part}: {ended:?} {said}");
        if code == 5 {
            assert!(said.contains("the_manifest.json"), "{said}");
        }
    }
}

#[test]
fn the_manifest_is_looked_for_beside_the_program_and_then_around_it() {
    let (dir, around) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let program = dir.path().join("shop");
    std::fs::copy(SHOP, &program).unwrap();
    let deep = around.path().join("a/b");
    std::fs::create_dir_all(&deep).unwrap();
    let words = &[("FLASH_RESOURCE_NAME", "words"), ("FLASH_APP", "shop")][..];
    // It gets as far as its log, and no further.
    let unfit =
        [words, &[("RUNPOD_WEBHOOK_GET_JOB", "http://127.0.0.1:1/x"), ("RUNPOD_MIN_MEMORY_GB", "9999999")]]
            .concat();
    let (code, said) = start(&program, &deep, &unfit);
    assert!(
        code == Some(8) && said.contains("there is no flash_manifest.json of this build"),
        "{code:?} {said}"
    );

    // One that lies around may be of an older build of the same checkout. It says nothing about this program.
    let mut other = described();
    other["rust"]["function_table_sha256"] = json!("0");
    other["resources"]["words"]["endpoint_id"] = json!("ep-1");
    std::fs::create_dir(around.path().join(".flash")).unwrap();
    std::fs::write(around.path().join(".flash/flash_manifest.json"), other.to_string()).unwrap();
    let (code, said) = start(&program, &deep, &unfit);
    assert!(
        code == Some(8) && said.contains("there is no flash_manifest.json of this build"),
        "{code:?} {said}"
    );

    // Of the right build it says which endpoint this is, where nobody gave its name.
    let mut deployed = described();
    deployed["resources"]["words"]["endpoint_id"] = json!("ep-1");
    std::fs::write(around.path().join("a/flash_manifest.json"), deployed.to_string()).unwrap();
    let (code, said) = start(&program, &deep, &[]);
    assert!(code == Some(PAST.0) && said.contains("endpoint `words` is to run as a queue worker"), "{said}");

    // Beside the program it is the program's own.
    std::fs::write(dir.path().join("flash_manifest.json"), other.to_string()).unwrap();
    let (code, said) = start(&program, &deep, words);
    assert!(code == Some(5) && said.contains("is of another build than this program"), "{said}");
    // A program of this machine, whatever lies beside it, is nobody's worker.
    let output = command(&program, &deep).env_remove("RUNPOD_ENDPOINT_ID").output().unwrap();
    assert_eq!(output.status.code(), Some(2), "{}", text(&output));
    assert!(!text(&output).contains("another build"), "{}", text(&output));
}

#[test]
fn an_image_has_the_functions_that_it_was_deployed_for() {
    let dir = tempfile::tempdir().unwrap();
    let table = described()["rust"]["function_table_sha256"].as_str().unwrap().to_owned();
    let with = |table: &str| {
        let environment = [("FLASH_FUNCTION_TABLE_SHA256", table), ("FLASH_RESOURCE_NAME", "words")];
        start(Path::new(SHOP), dir.path(), &environment)
    };
    let (code, said) = with(&table);
    assert!(code == Some(PAST.0) && said.contains(PAST.1), "{said}");
    let (code, said) = with("0");
    assert!(code == Some(5) && said.contains("flash deploy --image"), "{said}");
}
