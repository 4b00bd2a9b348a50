use std::path::{Component, Path};

/// Longest path of a file in an artifact, in bytes: what a plain tar header holds, so no extension is ever needed.
const LONGEST: usize = 255;

/// Whether `path` can be the place of a file inside of an artifact, in the one form that such places have: relative, `/`
/// between its parts, no `.`, no `..`, no empty part, UTF-8 without control characters.
pub(crate) fn check(path: &str) -> Result<(), &'static str> {
    if path.is_empty() {
        return Err("is empty");
    }
    if path.len() > LONGEST {
        return Err("is longer than 255 bytes");
    }
    if path.starts_with('/') {
        return Err("is absolute");
    }
    if path.chars().any(|c| c.is_control() || c == '\\') {
        return Err("holds a control character or a backslash");
    }
    for part in path.split('/') {
        match part {
            "" => return Err("has an empty part"),
            "." => return Err("has a `.` part"),
            ".." => return Err("has a `..` part, which would leave the app's directory"),
            _ => {}
        }
    }
    // The text rules above leave nothing else on Unix; this also holds where paths have prefixes.
    let plain = Path::new(path).components().all(|part| matches!(part, Component::Normal(_)));
    plain.then_some(()).ok_or("is not a plain relative path")
}

#[cfg(test)]
mod tests {
    use super::check;

    #[test]
    fn only_plain_relative_paths_are_places() {
        for fine in ["app", "a/b.c", "..a", "a..b/c", "weights/Größe.bin", ".hidden"] {
            assert_eq!(check(fine), Ok(()), "{fine}");
        }
        for bad in ["", "/etc/passwd", "..", "a/../b", "a/..", "./a", "a//b", "a/", "a\\b", "a\nb", "a\0b"] {
            assert!(check(bad).is_err(), "{bad:?}");
        }
        assert!(check(&"a".repeat(256)).is_err());
    }
}
