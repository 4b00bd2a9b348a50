//! Two copies of Flash in one program would be two registries, of which one is never seen: Cargo refuses them.

use std::fs;
use std::path::Path;
use std::process::Command;

#[test]
fn two_copies_in_one_program_are_refused() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let write = |path: &str, text: &str| {
        let path = folder.path().join(path);
        fs::create_dir_all(path.parent().expect("a file has a folder")).expect("a folder");
        fs::write(path, text).expect("a file");
    };
    let core = Path::new(env!("CARGO_MANIFEST_DIR")).join("../flash-core");
    let lock = Path::new(env!("CARGO_MANIFEST_DIR")).join("../Cargo.lock");
    let package = |name: &str, version: &str, rest: &str| {
        format!("[package]\nname = \"{name}\"\nversion = \"{version}\"\nedition = \"2024\"\n{rest}")
    };
    write("other/Cargo.toml", &package("flash-core", "0.9.0", "links = \"flash\"\n"));
    write("other/build.rs", "fn main() {}");
    write("other/src/lib.rs", "");
    let dependencies = format!(
        "[workspace]\n[dependencies]\nflash-core = {{ path = {core:?} }}\nother = {{ package = \"flash-core\", path = \
         \"other\", version = \"0.9\" }}\n"
    );
    write("Cargo.toml", &package("app", "0.1.0", &dependencies));
    write("src/lib.rs", "");
    fs::copy(lock, folder.path().join("Cargo.lock")).expect("the lock file");
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--offline", "--format-version", "1"])
        .current_dir(folder.path())
        .output()
        .expect("cargo runs");
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success(), "cargo accepted two copies");
    assert!(text.contains("`flash`") && text.contains("links"), "{text}");
}
