//! What a mistake looks like. `TRYBUILD=overwrite cargo test -p flash --test ui` renews the texts; read the difference.
//!
//! Each file says in its first line how many mistakes it has; each of them is one error, short enough to be read. That
//! mistakes are all there is: the item, its handle and the handle's callers keep compiling.

use std::fs;
use std::path::{Path, PathBuf};

/// Lines of one error, with everything that belongs to it.
const MAX_LINES: usize = 12;

/// The compiler's own explanation of an `.await` names the value and both places in the user's body.
const LONGER: &[(&str, usize)] = &[("future_not_send", 15)];

#[test]
fn mistakes_are_explained() {
    trybuild::TestCases::new().compile_fail("tests/ui/fail/*.rs");
}

#[test]
fn each_mistake_is_one_short_error() {
    let cases = cases();
    assert!(cases.len() >= 40, "only {} cases are left", cases.len());
    let mut problems = Vec::new();
    for case in cases {
        let name = case.file_stem().expect("a case has a name").to_string_lossy().into_owned();
        let source = fs::read_to_string(&case).expect("a case is text");
        let mistakes: usize = source
            .lines()
            .next()
            .and_then(|line| line.strip_prefix("// mistakes: "))
            .and_then(|number| number.parse().ok())
            .unwrap_or_else(|| panic!("{name}.rs does not begin with `// mistakes: N`"));
        let output = fs::read_to_string(case.with_extension("stderr")).unwrap_or_default();
        let errors: Vec<&str> = output.split("\n\n").filter(|block| block.starts_with("error")).collect();
        if errors.len() != mistakes {
            problems.push(format!("{name}: {mistakes} mistakes, {} errors", errors.len()));
        }
        let limit = LONGER.iter().find(|(case, _)| *case == name).map_or(MAX_LINES, |(_, lines)| *lines);
        for error in errors {
            let lines = error.trim_end().lines().count();
            if lines > limit {
                problems.push(format!("{name}: an error of {lines} lines, at most {limit}:\n{error}"));
            }
        }
    }
    assert!(problems.is_empty(), "{}", problems.join("\n"));
}

/// An error that points at the attribute leaves the reader to search.
#[test]
fn errors_point_at_the_users_own_tokens() {
    for case in cases() {
        let output = fs::read_to_string(case.with_extension("stderr")).unwrap_or_default();
        // What is not there can only be missed from the attribute.
        if case.ends_with("missing_resource.rs") {
            continue;
        }
        assert!(
            !output.contains("in the attribute macro `remote`")
                && !output.contains("in the derive macro `RemoteError`"),
            "{}: an error points at the macro:\n{output}",
            case.display()
        );
    }
}

fn cases() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/ui/fail");
    let mut cases: Vec<PathBuf> = fs::read_dir(folder)
        .expect("tests/ui/fail is a folder")
        .map(|entry| entry.expect("tests/ui/fail can be read").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "rs"))
        .collect();
    cases.sort();
    cases
}
