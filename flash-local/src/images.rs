//! What takes the place of container images on a machine without containers.

use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use flash_bootstrap::{ArtifactError, Installed, Limits, install, sha256_of, sha256_of_file};
use serde::{Deserialize, Serialize};

/// The images of a local platform: a directory of its data directory. Each one is an app, unpacked, under the hash of its
/// content; names point to them and can be moved, as tags of a registry. Endpoints look a name up when they get a release, so
/// a name that moves changes no worker until then, as on RunPod.
#[derive(Debug, Clone)]
pub struct Images {
    dir: PathBuf,
}

/// An image and its name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Image {
    /// Its name, such as `registry.example/shop:1`.
    pub name: String,
    /// SHA-256 of its content.
    pub digest: String,
}

impl Images {
    /// The images of the platform with this data directory. A running platform sees what is added at once.
    pub fn of_data_dir(dir: impl AsRef<Path>) -> Self {
        Self { dir: dir.as_ref().join("images") }
    }

    /// Makes an image of an artifact of `flash build`. A name that exists points to the new one from now on.
    ///
    /// # Errors
    /// An artifact that is none, or a directory that cannot be written.
    pub fn add(&self, name: &str, artifact: &Path) -> Result<Image, ArtifactError> {
        let digest = sha256_of_file(artifact)
            .map_err(|source| ArtifactError::Io { path: artifact.to_owned(), source })?;
        let installed = install(artifact, &self.content(&digest), Some(&digest), &Limits::default())?;
        let image = Image { name: name.to_owned(), digest: installed.sha256 };
        self.keep(&image).map_err(|source| ArtifactError::Io { path: self.dir.clone(), source })?;
        Ok(image)
    }

    /// The app in the image of this name.
    #[must_use]
    pub fn find(&self, name: &str) -> Option<Installed> {
        let image: Image = serde_json::from_slice(&std::fs::read(self.tag(name)).ok()?).ok()?;
        Installed::at(&self.content(&image.digest))
    }

    /// All names, sorted.
    ///
    /// # Errors
    /// A directory that cannot be read.
    pub fn list(&self) -> io::Result<Vec<Image>> {
        let tags = match std::fs::read_dir(self.dir.join("names")) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            tags => tags?,
        };
        let mut images = Vec::new();
        for tag in tags {
            // A name that is being written has another form of file name and is not complete.
            let path = tag?.path();
            if path.extension().is_some_and(|extension| extension == "json") {
                images.push(serde_json::from_slice::<Image>(&std::fs::read(path)?)?);
            }
        }
        images.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(images)
    }

    fn content(&self, digest: &str) -> PathBuf {
        self.dir.join(digest)
    }

    /// Names have slashes and colons in them; their hash does not.
    fn tag(&self, name: &str) -> PathBuf {
        self.dir.join("names").join(format!("{}.json", sha256_of(name.as_bytes())))
    }

    fn keep(&self, image: &Image) -> io::Result<()> {
        let dir = self.dir.join("names");
        std::fs::create_dir_all(&dir)?;
        let mut file = tempfile::NamedTempFile::new_in(&dir)?;
        serde_json::to_writer(&mut file, image)?;
        file.flush()?;
        file.persist(self.tag(&image.name))?;
        Ok(())
    }
}
