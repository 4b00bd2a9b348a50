use std::collections::BTreeSet;

use flash_core::manifest::Manifest;
use flash_local::Images;

use crate::build::build;
use crate::cli::SourceArgs;
use crate::connect::state_dir;
use crate::failure::{During, Failure};
use crate::output::{Output, table};
use crate::project::Project;
use crate::report::{ImageList, ImageMade, ListedImage};

fn images() -> Result<Images, Failure> {
    Ok(Images::of_data_dir(state_dir()?.join("data")))
}

/// `flash platform image`: builds the app as an image for the local platform.
pub(super) fn make(name: &str, source: &SourceArgs, output: Output) -> Result<u8, Failure> {
    let project = Project::find(source.package.as_deref())?;
    let dir = tempfile::tempdir().during("a temporary directory cannot be made")?;
    let built = build(source, &project, Some(&dir.path().join("artifact.tar.gz")), output)?;
    let image = images()?.add(name, &built.artifact).during(format!("image `{name}` cannot be made"))?;
    let text = format!("{name}\n  sha256 {}\n\nnext: flash deploy --image {name}", image.digest);
    output.result(&text, &ImageMade { image: image.name, digest: image.digest, bytes: built.bytes });
    Ok(0)
}

/// `flash platform images`
pub(super) fn list(output: Output) -> Result<u8, Failure> {
    let all = images()?.list().during("the images of the local platform cannot be read")?;
    let rows: Vec<Vec<String>> =
        all.iter().map(|image| vec![image.name.clone(), image.digest.clone()]).collect();
    let text = match rows.is_empty() {
        true => "the local platform has no image\n\nnext: flash platform image my-app:1".to_owned(),
        false => table(&["IMAGE", "SHA-256"], &rows),
    };
    let list = all.into_iter().map(|image| ListedImage { image: image.name, digest: image.digest });
    output.result(&text, &ImageList { images: list.collect() });
    Ok(0)
}

/// The local platform pulls from nowhere, so what it does not have is told before anything is changed.
pub(super) fn refuse_unknown(manifest: &Manifest) -> Result<(), Failure> {
    let images = images()?;
    let names: BTreeSet<&str> =
        manifest.resources.values().filter_map(|entry| entry.image_name.as_deref()).collect();
    for name in names {
        if !name.starts_with("file://") && images.find(name).is_none() {
            return Err(Failure::new(format!(
                "the local platform has no image `{name}`, and pulls from no registry; nothing was changed"
            ))
            .help(format_args!("run `flash platform image {name}`, which makes it from this app")));
        }
    }
    Ok(())
}
