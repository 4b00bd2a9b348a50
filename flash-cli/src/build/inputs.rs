use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use flash_bootstrap::{Contents, Packed, sha256_of, sha256_of_file};
use serde::{Deserialize, Serialize};

use crate::failure::{During, Failure};

/// What an artifact is packed from, as one hash. Compressing is what takes longest of a deployment that changes nothing, and the
/// same inputs make the same bytes.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Inputs(String);

/// An artifact that lies there already.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Known {
    inputs: String,
    pub(super) sha256: String,
    pub(super) bytes: u64,
    pub(super) glibc: Option<String>,
}

impl Inputs {
    /// The manifest holds the hash of the binary, so that stands for it.
    pub(super) fn of(contents: &Contents) -> Result<Self, Failure> {
        let mut text = format!("flash {}\n{}\n", env!("CARGO_PKG_VERSION"), sha256_of(&contents.manifest));
        let name = contents.binary.file_name().unwrap_or_default().to_string_lossy();
        text.push_str(&format!("{name} {} {}\n", contents.triple, contents.worker_protocol));
        for asset in &contents.assets {
            let what = || format!("asset `{}` cannot be read", asset.path);
            let mode = asset.file.metadata().during(what())?.permissions().mode() & 0o111;
            let hash = sha256_of_file(&asset.file).during(what())?;
            text.push_str(&format!("{} {hash} {mode}\n", asset.path));
        }
        Ok(Self(sha256_of(text.as_bytes())))
    }

    /// The artifact at this place, when it was packed from these inputs and nobody has touched it since.
    pub(super) fn packed_before(&self, artifact: &Path) -> Option<Known> {
        let text = std::fs::read(note(artifact)).ok()?;
        let known: Known = serde_json::from_slice(&text).ok()?;
        let is_same =
            known.inputs == self.0 && artifact.metadata().is_ok_and(|file| file.len() == known.bytes);
        (is_same && sha256_of_file(artifact).ok()? == known.sha256).then_some(known)
    }

    /// Writes down what an artifact was packed from.
    pub(super) fn remember(&self, artifact: &Path, packed: &Packed) -> Result<Known, Failure> {
        let known = Known {
            inputs: self.0.clone(),
            sha256: packed.sha256.clone(),
            bytes: packed.bytes,
            glibc: packed.index.target.glibc.as_ref().map(ToString::to_string),
        };
        let note = note(artifact);
        let text = serde_json::to_vec(&known).during("what was packed cannot be written down")?;
        std::fs::write(&note, text).during(format!("`{}` cannot be written", note.display()))?;
        Ok(known)
    }
}

/// Beside the artifact.
fn note(artifact: &Path) -> PathBuf {
    let mut name = artifact.file_name().unwrap_or_default().to_owned();
    name.push(".inputs");
    artifact.with_file_name(name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use flash_bootstrap::{Asset, Limits, pack};

    #[test]
    fn only_the_same_inputs_and_an_untouched_artifact_are_not_packed_again() {
        let dir = tempfile::tempdir().unwrap();
        let data = dir.path().join("data");
        std::fs::write(&data, "one").unwrap();
        let asset = Asset { path: "data".to_owned(), file: data.clone() };
        let contents = Contents {
            manifest: b"{}".to_vec(),
            binary: std::env::current_exe().unwrap(),
            triple: "x".to_owned(),
            worker_protocol: 1,
            assets: vec![asset],
        };
        let artifact = dir.path().join("artifact.tar.gz");
        let inputs = Inputs::of(&contents).unwrap();
        assert_eq!(inputs.packed_before(&artifact), None);
        let file = std::fs::File::create(&artifact).unwrap();
        let limits = Limits::new(u64::MAX, u64::MAX, 10, u64::MAX);
        let packed = pack(&contents, file, &limits).unwrap();
        let known = inputs.remember(&artifact, &packed).unwrap();
        assert_eq!(Inputs::of(&contents).unwrap().packed_before(&artifact), Some(known));

        std::fs::write(&data, "two").unwrap();
        assert_eq!(Inputs::of(&contents).unwrap().packed_before(&artifact), None);
        let other = Contents { manifest: b"{ }".to_vec(), ..contents };
        std::fs::write(&data, "one").unwrap();
        assert_eq!(Inputs::of(&other).unwrap().packed_before(&artifact), None);

        let mut bytes = std::fs::read(&artifact).unwrap();
        let last = bytes.len() - 1;
        bytes[last] ^= 1;
        std::fs::write(&artifact, bytes).unwrap();
        assert_eq!(inputs.packed_before(&artifact), None);
    }
}
