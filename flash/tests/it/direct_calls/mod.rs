//! The attributes only add: a program that calls its functions directly is one without them, too.
//!
//! `without_attributes.rs` is `with_attributes.rs` without every `#[remote…]`. After a change: `STRIP=overwrite`.

mod with_attributes;
#[allow(unused_imports, dead_code, reason = "what only the attributes use")]
mod without_attributes;

use std::fs;
use std::path::Path;

#[test]
fn the_second_program_is_the_first_without_attributes() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/direct_calls");
    let read = |name: &str| fs::read_to_string(folder.join(name)).expect("a program is text");
    let plain = without_remote(&read("with_attributes.rs"));
    if std::env::var("STRIP").is_ok_and(|value| value == "overwrite") {
        fs::write(folder.join("without_attributes.rs"), &plain).expect("a program can be written");
    }
    let words = |text: &str| text.split_whitespace().map(ToOwned::to_owned).collect::<Vec<_>>().join("");
    // How it is broken into lines, and the commas that follow from that, is the formatter's matter.
    let plain = words(&plain).replace(",)", ")");
    assert_eq!(plain, words(&read("without_attributes.rs")).replace(",)", ")"));
    assert!(!plain.contains("#[remote"));
}

/// The source without `#[remote…]`, on items and on parameters.
fn without_remote(source: &str) -> String {
    let mut plain = String::new();
    let mut rest = source;
    while let Some(at) = rest.find("#[remote") {
        plain.push_str(&rest[..at]);
        let mut depth = 0_i32;
        let end = rest[at..].find(|char| {
            depth += i32::from(char == '[') - i32::from(char == ']');
            char == ']' && depth == 0
        });
        rest = &rest[at + end.expect("an attribute ends") + 1..];
    }
    plain + rest
}
