use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use flash_core::Registry;
use flash_core::boot::Boot;
use flash_core::manifest::Manifest;

/// Its name, wherever it lies.
const FILE: &str = "flash_manifest.json";
/// Where `flash` keeps that of a checkout.
const CHECKOUT: &str = ".flash";

/// A manifest of this build.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Found {
    /// Where it lies.
    pub(crate) path: PathBuf,
    /// What it says.
    pub(crate) manifest: Manifest,
}

/// Looks for the manifest of this build: where the environment says, beside the program, in the working directory and those
/// above, each also in its `.flash`. The first two belong to the program, so another build's is an error; one that lies around
/// further away and is of another build is passed over.
///
/// # Errors
/// A file that cannot be read or is no manifest, with the field; a manifest of other functions than the program has.
pub(crate) fn find(
    boot: &Boot,
    registry: &Registry,
    program: Option<&Path>,
    dir: Option<&Path>,
) -> Result<Option<Found>, String> {
    let own = [boot.manifest_path.clone(), program.and_then(Path::parent).map(|dir| dir.join(FILE))];
    for path in own.into_iter().flatten() {
        if let Some(manifest) = read(&path)? {
            agrees(&manifest, registry).map_err(|text| format!("`{}` {text}", path.display()))?;
            return Ok(Some(Found { path, manifest }));
        }
    }
    let above = dir.into_iter().flat_map(Path::ancestors);
    for path in above.flat_map(|dir| [dir.join(FILE), dir.join(CHECKOUT).join(FILE)]) {
        if let Some(manifest) = read(&path)?
            && is_of_build(&manifest, registry)
        {
            return Ok(Some(Found { path, manifest }));
        }
    }
    Ok(None)
}

fn read(path: &Path) -> Result<Option<Manifest>, String> {
    let text = match std::fs::read_to_string(path) {
        Ok(text) => text,
        Err(error)
            if matches!(error.kind(), std::io::ErrorKind::NotFound | std::io::ErrorKind::NotADirectory) =>
        {
            return Ok(None);
        }
        Err(error) => return Err(format!("manifest `{}` cannot be read: {error}", path.display())),
    };
    Manifest::from_json(&text).map(Some).map_err(|error| format!("`{}`: {error}", path.display()))
}

/// As [`agrees`], where nobody asks why not: after every edit the manifest of a checkout is of an older build.
fn is_of_build(manifest: &Manifest, registry: &Registry) -> bool {
    match manifest.rust.as_ref().map_or("", |rust| rust.function_table_sha256.as_str()) {
        "" => agrees(manifest, registry).is_ok(),
        told => told == registry.function_table_sha256(),
    }
}

/// Whether a manifest names the functions of this program, and no others. A worker that served others would do what nobody
/// deployed; a build for another processor may differ in that from the one that described itself.
fn agrees(manifest: &Manifest, registry: &Registry) -> Result<(), String> {
    let told = manifest.rust.as_ref().map_or("", |rust| rust.function_table_sha256.as_str());
    if told == registry.function_table_sha256() {
        return Ok(());
    }
    let linked = registry.describe(&manifest.project_name).manifest;
    let names = |manifest: &Manifest| -> BTreeSet<String> {
        let functions = manifest.function_registry.iter();
        let functions = functions.map(|(function, resource)| format!("`{function}` of `{resource}`"));
        let routes = manifest.routes.iter().flat_map(|(resource, routes)| {
            routes.keys().map(move |route| format!("route `{route}` of `{resource}`"))
        });
        functions.chain(routes).collect()
    };
    let (said, has) = (names(manifest), names(&linked));
    let list = |one: &BTreeSet<String>, other: &BTreeSet<String>| {
        one.difference(other).cloned().collect::<Vec<_>>().join(", ")
    };
    let (missing, surplus) = (list(&said, &has), list(&has, &said));
    if told.is_empty() && missing.is_empty() && surplus.is_empty() {
        // Older manifests, and those of Python, have no hash; their names are all there is.
        return Ok(());
    }
    let what = match (missing.is_empty(), surplus.is_empty()) {
        (true, true) => "the parameters of a function differ".to_owned(),
        (false, true) => format!("the program does not have {missing}"),
        (true, false) => format!("the program also has {surplus}"),
        (false, false) => format!("the program does not have {missing}, and has {surplus}"),
    };
    Err(format!(
        "is of another build than this program: {what}\nhelp: build both from the same sources: `flash build` packs them \
         together. Does `#[cfg]` leave functions out for one target?"
    ))
}

/// Whether the program has the functions that whoever deployed its image expects.
pub(crate) fn check_image(boot: &Boot, registry: &Registry) -> Result<(), String> {
    match &boot.function_table {
        Some(expected) if *expected != registry.function_table_sha256() => Err(format!(
            "this image has other functions than the sources that it was deployed from ({} and {expected})\nhelp: build the \
             image again, push it under a new tag, and run `flash deploy --image` with that",
            registry.function_table_sha256()
        )),
        _ => Ok(()),
    }
}

/// The endpoint that a deployed manifest gives this id.
pub(crate) fn resource_of(manifest: &Manifest, endpoint_id: &str) -> Option<String> {
    let mut of_id = manifest.resources.iter();
    let found = of_id.find(|(_, entry)| entry.endpoint_id.as_deref() == Some(endpoint_id));
    found.map(|(name, _)| name.clone())
}
