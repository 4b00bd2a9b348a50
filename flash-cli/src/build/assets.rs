use std::path::{Path, PathBuf};

use flash_bootstrap::Asset;
use ignore::WalkBuilder;

use crate::failure::{During, Failure, exit};

/// The files that the package declares as assets, without what `.gitignore` and `.flashignore` exclude, and never `.env`.
///
/// A file that is named outright is taken whatever `.gitignore` says: large weights are often not in git. Links are
/// followed as long as they stay inside of the package.
pub(crate) fn assets(dir: &Path, declared: &[String]) -> Result<Vec<Asset>, Failure> {
    let root = dir.canonicalize().during(format!("`{}` cannot be read", dir.display()))?;
    let mut found = Vec::new();
    for name in declared {
        let path = root.join(name);
        let exists = path.metadata().map_err(|error| {
            Failure::of(exit::INVALID_APP, format!("asset `{name}` of [package.metadata.flash]: {error}"))
                .help("assets are paths of files and directories, relative to Cargo.toml")
        })?;
        if exists.is_file() {
            found.push(asset(&root, &path)?);
            continue;
        }
        let walk = WalkBuilder::new(&path)
            .hidden(false)
            // A package that is no git repository has a .gitignore all the same.
            .require_git(false)
            .add_custom_ignore_filename(".flashignore")
            .filter_entry(|entry| entry.file_name() != ".git")
            .follow_links(true)
            .build();
        for entry in walk {
            let entry = entry.during(format!("asset `{name}` cannot be read"))?;
            if entry.file_type().is_some_and(|kind| kind.is_file()) {
                found.push(asset(&root, entry.path())?);
            }
        }
    }
    found.retain(|asset| !is_env_file(&asset.path));
    found.sort();
    found.dedup();
    Ok(found)
}

fn asset(root: &Path, file: &Path) -> Result<Asset, Failure> {
    let outside = |what: &str| {
        Failure::of(exit::INVALID_APP, format!("asset `{}` {what}", file.display()))
            .help("copy the file into the package")
    };
    let real: PathBuf = file.canonicalize().during(format!("asset `{}` cannot be read", file.display()))?;
    if !real.starts_with(root) {
        return Err(outside("is a link that leaves the package"));
    }
    let place = file.strip_prefix(root).map_err(|_| outside("lies outside of the package"))?;
    if place.components().any(|part| matches!(part, std::path::Component::ParentDir)) {
        return Err(outside("lies outside of the package"));
    }
    let path = place.to_str().ok_or_else(|| outside("has a name that is not UTF-8"))?.to_owned();
    Ok(Asset { path, file: file.to_owned() })
}

/// `.env`, `.env.local`, `prod.env`: places where secrets lie.
fn is_env_file(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    name == ".env" || name.starts_with(".env.") || name.ends_with(".env")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ignore_rules_count_and_secrets_never_enter() {
        let dir = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| {
            let path = dir.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        };
        write("data/keep.txt", "x");
        write("data/.env", "SECRET=1");
        write("data/.env.production", "SECRET=1");
        write("data/deep/staging.env", "SECRET=1");
        write("data/skip.log", "x");
        write("data/cache/big.bin", "x");
        write("data/.gitignore", "*.log\n");
        write("data/.flashignore", "cache\n");
        write("weights.bin", "x");
        write(".gitignore", "weights.bin\n");
        let names = |declared: &[&str]| -> Vec<String> {
            let declared: Vec<String> = declared.iter().map(|name| (*name).to_owned()).collect();
            assets(dir.path(), &declared).unwrap().into_iter().map(|asset| asset.path).collect()
        };
        assert_eq!(names(&["data"]), ["data/.flashignore", "data/.gitignore", "data/keep.txt"]);
        assert_eq!(names(&["weights.bin", "data/keep.txt"]), ["data/keep.txt", "weights.bin"]);
        assert_eq!(names(&["data/.env"]), [""; 0]);
    }

    #[test]
    fn what_lies_outside_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let outside = tempfile::NamedTempFile::new().unwrap();
        std::os::unix::fs::symlink(outside.path(), dir.path().join("link")).unwrap();
        for name in ["link", "missing", "../", "/etc/hostname"] {
            let failure = assets(dir.path(), &[name.to_owned()]).unwrap_err();
            assert_eq!(failure.code, exit::INVALID_APP, "{name}: {failure}");
        }
    }
}
