use std::path::{Path, PathBuf};
use std::process::Command;

use sha2::{Digest, Sha256};

use crate::project::Project;

/// Hash of everything that a binary was built from: every source file that the compiler read, the lock file, target, profile
/// and toolchain. `None` where cargo left no list of the sources, as for a binary that was built elsewhere.
pub(crate) fn fingerprint(
    project: &Project,
    binary: &Path,
    target: Option<&str>,
    profile: Option<&str>,
) -> Option<String> {
    let mut files = sources_of_binary(binary);
    if files.is_empty() {
        return None;
    }
    files.push(project.workspace_root.join("Cargo.lock"));
    files.push(project.manifest_path.clone());
    files.sort();
    files.dedup();
    let mut hash = Sha256::new();
    hash.update(b"flash-source-v1\0");
    let rustc = Command::new("rustc").arg("-vV").output().map(|output| output.stdout).unwrap_or_default();
    hash.update(&rustc);
    hash.update(format!("\0{}\0{}\0", target.unwrap_or("host"), profile.unwrap_or("release")));
    for file in files {
        let Ok(bytes) = std::fs::read(&file) else { continue };
        // Relative where possible: the same sources elsewhere are the same.
        let name = file.strip_prefix(&project.workspace_root).unwrap_or(&file);
        hash.update(format!("{}\0{}\0", name.display(), bytes.len()));
        hash.update(&bytes);
    }
    Some(hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect())
}

/// The files that a binary was built from, as cargo lists them; none for one that was built elsewhere.
pub(crate) fn sources_of_binary(binary: &Path) -> Vec<PathBuf> {
    std::fs::read_to_string(binary.with_extension("d")).map(|text| sources_of(&text)).unwrap_or_default()
}

/// The files behind the colon of a dep-info file. A space in a name has a backslash in front.
fn sources_of(text: &str) -> Vec<PathBuf> {
    let line = text.lines().find_map(|line| line.split_once(": ").map(|(_, rest)| rest)).unwrap_or_default();
    let mut names = vec![String::new()];
    let mut characters = line.chars();
    while let Some(c) = characters.next() {
        match c {
            '\\' => names.last_mut().into_iter().for_each(|name| name.extend(characters.next())),
            ' ' => names.push(String::new()),
            c => names.last_mut().into_iter().for_each(|name| name.push(c)),
        }
    }
    names.into_iter().filter(|name| !name.is_empty()).map(PathBuf::from).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_with_spaces_are_one_name() {
        let found = sources_of("/t/app: /s/main.rs /s/my\\ file.rs\n");
        assert_eq!(found, [PathBuf::from("/s/main.rs"), PathBuf::from("/s/my file.rs")]);
        assert!(sources_of("").is_empty());
    }
}
