//! Registration survives the linker.

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
    std::fs::copy(root.join("../Cargo.lock"), fixture.join("Cargo.lock")).unwrap();
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
