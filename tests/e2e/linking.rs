//! Registration survives the linker, and costs the compiler nothing elsewhere.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Command;

#[test]
fn functions_of_a_library_survive_lto_and_strip() {
    for (registry, arguments) in
        [("inventory", &[][..]), ("linkme", &["--features", "linked/registry-linkme"])]
    {
        assert_eq!(linked(registry, arguments), "greet\nnever_called\n", "{registry}");
    }
}

/// The names of the functions in the fixture's binary, built with these arguments.
fn linked(registry: &str, arguments: &[&str]) -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let fixture = root.join("fixtures/linked");
    // The same versions as everywhere else, which are on this machine already.
    fs::copy(root.join("../Cargo.lock"), fixture.join("Cargo.lock")).unwrap();
    let target = root.join("../target/fixtures/linked").join(registry);
    let build = Command::new(env!("CARGO"))
        .args(["build", "--release", "--offline", "--quiet", "--manifest-path"])
        .arg(fixture.join("Cargo.toml"))
        .args(arguments)
        .env("CARGO_TARGET_DIR", &target)
        .output()
        .unwrap();
    assert!(build.status.success(), "{}", String::from_utf8_lossy(&build.stderr));
    let output = Command::new(target.join("release/linked")).output().unwrap();
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[test]
fn one_more_function_recompiles_only_its_own_crate() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let folder = tempfile::tempdir().unwrap();
    let manifest = format!(
        "[workspace]\n[package]\nname = \"growing\"\nversion = \"0.1.0\"\nedition = \"2024\"\n[dependencies]\n\
         flash = {{ path = {:?}, default-features = false }}\n",
        root.join("../flash")
    );
    fs::write(folder.path().join("Cargo.toml"), manifest).unwrap();
    fs::copy(root.join("../Cargo.lock"), folder.path().join("Cargo.lock")).unwrap();
    fs::create_dir(folder.path().join("src")).unwrap();
    let one = fs::read_to_string(root.join("fixtures/linked/handlers/src/lib.rs")).unwrap();
    let two = format!(
        "{one}\n#[remote(resource = Q)]\npub async fn added() -> Result<(), flash::Error> {{\n    Ok(())\n}}\n"
    );
    let compiled = |source: &str| {
        fs::write(folder.path().join("src/lib.rs"), source).unwrap();
        compiled(folder.path(), &root.join("../target/fixtures/growing"))
    };
    assert!(compiled(&one).contains("growing"));
    assert_eq!(compiled(&two), BTreeSet::from(["growing".to_owned()]));
}

/// The crates that `cargo check` could not take from an earlier run.
fn compiled(folder: &Path, target: &Path) -> BTreeSet<String> {
    let check = Command::new(env!("CARGO"))
        .args(["check", "--offline", "--quiet", "--message-format", "json"])
        .current_dir(folder)
        .env("CARGO_TARGET_DIR", target)
        .output()
        .unwrap();
    assert!(check.status.success(), "{}", String::from_utf8_lossy(&check.stderr));
    String::from_utf8_lossy(&check.stdout)
        .lines()
        .map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap())
        .filter(|message| message["reason"] == "compiler-artifact" && message["fresh"] == false)
        .map(|message| message["target"]["name"].as_str().unwrap().to_owned())
        .collect()
}
