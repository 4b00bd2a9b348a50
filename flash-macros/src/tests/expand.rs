//! `tests/expand/NAME.rs` expands to `tests/expand/NAME.expanded.rs`, which is there to be read.
//! After a change on purpose: `EXPAND=overwrite cargo test -p flash-macros`, and read the difference.

use std::fs;
use std::path::Path;

use super::expand_file;

#[test]
fn every_input_expands_to_its_snapshot() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/expand");
    let overwrite = std::env::var("EXPAND").is_ok_and(|value| value == "overwrite");
    let mut names: Vec<String> = fs::read_dir(&folder)
        .expect("tests/expand is a folder")
        .map(|entry| entry.expect("tests/expand can be read").file_name().to_string_lossy().into_owned())
        .filter(|name| name.ends_with(".rs") && !name.ends_with(".expanded.rs"))
        .collect();
    names.sort();
    assert!(names.len() >= 10, "only {} inputs are left", names.len());
    let mut changed = Vec::new();
    for name in names {
        let source = fs::read_to_string(folder.join(&name)).expect("an input is text");
        let tokens = expand_file(&source);
        let file = syn::parse2(tokens.clone())
            .unwrap_or_else(|error| panic!("{name} expands to something else than Rust: {error}\n{tokens}"));
        let expanded = prettyplease::unparse(&file);
        let snapshot = folder.join(name.replace(".rs", ".expanded.rs"));
        if fs::read_to_string(&snapshot).unwrap_or_default() != expanded {
            if overwrite {
                fs::write(&snapshot, &expanded).expect("a snapshot can be written");
            } else {
                changed.push(format!("--- {} is now ---\n{expanded}", snapshot.display()));
            }
        }
    }
    assert!(changed.is_empty(), "{}\nif that is right: EXPAND=overwrite", changed.join("\n"));
}
