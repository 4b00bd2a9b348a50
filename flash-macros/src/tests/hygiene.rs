//! Generated code names everything by an absolute path, under the name that the user's crate has for `flash`.

use super::{expand_file, idents, tokens};
use crate::entry;

const FUNCTION: &str = include_str!("../../tests/expand/renamed_crate.rs");

#[test]
fn a_renamed_crate_is_the_only_name() {
    let names = idents(expand_file(FUNCTION));
    assert!(names.contains(&"renamed".to_owned()), "the expansion uses the path it was given");
    let stray: Vec<_> = names.iter().filter(|name| *name == "flash").collect();
    assert!(stray.is_empty(), "`flash` does not exist in the user's crate");
}

#[test]
fn a_renamed_crate_holds_for_stubs_errors_and_main() {
    let stub = entry::remote(
        tokens("resource = GPU, crate = crate::sdk, nonsense"),
        &tokens("async fn f(x: &u8) -> Result<u8, E> { body }"),
    );
    let error = entry::derive_remote_error(tokens(
        "#[remote(crate = ::sdk)] enum E { A, #[remote(call)] B(CallError<F>), C { x: u8 }, D(u8, u8) }",
    ));
    let broken =
        entry::derive_remote_error(tokens("#[remote(crate = ::sdk)] enum E { A, #[remote(code = 1)] B }"));
    let main = entry::main(tokens("crate = ::sdk"), tokens("async fn main() {}"));
    for output in [stub, error, broken, main] {
        let names = idents(output.clone());
        assert!(names.contains(&"sdk".to_owned()), "{output}");
        assert!(!names.contains(&"flash".to_owned()), "{output}");
    }
}

/// Names that the user may have given another meaning stand only behind `::core`, `::std` or `__flash`.
#[test]
fn no_name_of_the_prelude_is_used_bare() {
    let output = expand_file(
        "#[remote(resource = GPU, status = 201, method = \"POST\", path = \"/\", calls(g))]
         async fn f(a: u8, #[remote(default)] b: u8, #[remote(default = 1)] c: u8, s: State<u8>) -> u8 { g::remote() }
         #[remote(resource = GPU)] fn g() -> u8 { 1 }
         #[derive(RemoteError)] enum E { A, B(u8), C { x: u8 }, #[remote(call)] D(u8), #[remote(opaque)] F(u8), G(u8, u8) }",
    )
    .to_string();
    for name in [
        "Result", "Option", "Some", "None", "Ok", "Err", "Default", "Send", "Future", "Debug", "Clone",
        "Copy", "From", "panic", "file",
    ] {
        for (at, _) in output.match_indices(name) {
            let before = output[..at].trim_end();
            let is_word = !output[at + name.len()..]
                .starts_with(|next: char| next.is_alphanumeric() || next == '_')
                && !output[..at].ends_with(|last: char| last.is_alphanumeric() || last == '_');
            assert!(
                !is_word || before.ends_with("::"),
                "bare `{name}` in …{}",
                &output[at.saturating_sub(60)..at + 20]
            );
        }
    }
}

#[test]
fn the_same_input_expands_to_the_same_output() {
    assert_eq!(expand_file(FUNCTION).to_string(), expand_file(FUNCTION).to_string());
}
