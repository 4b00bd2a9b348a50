use std::path::{Path, PathBuf};

use flash_bootstrap::{Contents, Limits, Packed, pack, sha256_of_file};
use flash_core::manifest::Manifest;

use super::assets::assets;
use super::cargo::{Compile, compile};
use super::describe::describe;
use super::fingerprint::fingerprint;
use super::inputs::Inputs;
use super::secrets::refuse_secrets;
use crate::cli::SourceArgs;
use crate::failure::{During, Failure, exit};
use crate::output::Output;
use crate::project::Project;

/// An artifact that can be deployed.
#[derive(Debug, Clone)]
pub(crate) struct Built {
    pub(crate) artifact: PathBuf,
    /// The binary that went into it.
    pub(crate) binary: PathBuf,
    pub(crate) sha256: String,
    pub(crate) bytes: u64,
    /// The manifest inside of it.
    pub(crate) manifest: Manifest,
    /// The oldest glibc that runs it.
    pub(crate) glibc: Option<String>,
}

/// Compiles and describes, without packing.
pub(crate) fn describe_source(
    source: &SourceArgs,
    project: &Project,
) -> Result<(PathBuf, Manifest, Vec<String>), Failure> {
    let how = || -> Result<Compile, Failure> {
        Ok(Compile {
            bin: project.bin(source.bin.as_deref())?,
            target: source.target.clone(),
            profile: source.profile.clone(),
        })
    };
    let binary = match &source.binary {
        Some(binary) => binary.clone(),
        None => compile(project, &how()?)?,
    };
    let runs_here = source
        .target
        .as_deref()
        .is_none_or(|target| target.starts_with(std::env::consts::ARCH) && target.contains("linux"));
    let (mut manifest, warnings) = if runs_here {
        describe(&binary)?
    } else {
        // It cannot run here; a build for this machine has the same functions, and boot compares them.
        let host = compile(project, &Compile { target: None, ..how()? })?;
        let (mut manifest, warnings) = describe(&host)?;
        if let (Some(rust), Some(target)) = (&mut manifest.rust, &source.target) {
            rust.target.clone_from(target);
        }
        (manifest, warnings)
    };
    if let Some(rust) = &mut manifest.rust {
        rust.binary_sha256 = Some(sha256_of_file(&binary).during("the binary cannot be read")?);
    }
    project.app().clone_into(&mut manifest.project_name);
    manifest.source_fingerprint =
        fingerprint(project, &binary, source.target.as_deref(), source.profile.as_deref());
    Ok((binary, manifest, warnings))
}

/// Builds the app and writes `.flash/artifact.tar.gz` (or `to`) and `.flash/flash_manifest.json`.
pub(crate) fn build(
    source: &SourceArgs,
    project: &Project,
    to: Option<&Path>,
    output: Output,
) -> Result<Built, Failure> {
    output.note(format_args!("building {}", project.package));
    let (binary, manifest, warnings) = describe_source(source, project)?;
    for warning in &warnings {
        output.warn(warning);
    }
    let assets = assets(&project.dir, &project.settings.assets)?;
    let files = assets.iter().map(|asset| asset.file.as_path()).chain([binary.as_path()]);
    refuse_secrets(&manifest, files, |name| std::env::var(name).ok())?;

    let json = keep_manifest(project, &manifest)?;
    let dir = project.flash_dir();
    let artifact = to.map_or_else(|| dir.join("artifact.tar.gz"), Path::to_owned);
    let rust = manifest.rust.clone().unwrap_or_default();
    let contents = Contents {
        manifest: json.into_bytes(),
        binary: binary.clone(),
        triple: rust.target,
        worker_protocol: rust.worker_protocol,
        assets,
    };
    let inputs = Inputs::of(&contents)?;
    let packed = match inputs.packed_before(&artifact) {
        Some(packed) => packed,
        None => {
            let spinner = output.spinner("packing");
            let packed = inputs.remember(&artifact, &write_whole(&artifact, &contents)?)?;
            spinner.finish_and_clear();
            packed
        }
    };
    Ok(Built { artifact, binary, sha256: packed.sha256, bytes: packed.bytes, manifest, glibc: packed.glibc })
}

/// Writes `.flash/flash_manifest.json`, and gives its text.
pub(crate) fn keep_manifest(project: &Project, manifest: &Manifest) -> Result<String, Failure> {
    let json = manifest.to_json().during("the manifest cannot be written")?;
    let dir = project.flash_dir();
    prepare_dir(&dir)?;
    std::fs::write(dir.join(flash_bootstrap::MANIFEST_NAME), &json)
        .during("the manifest cannot be written")?;
    Ok(json)
}

/// The manifest that was written last, if there is one.
pub(crate) fn kept_manifest(project: &Project) -> Result<Option<Manifest>, Failure> {
    let path = project.flash_dir().join(flash_bootstrap::MANIFEST_NAME);
    let Ok(text) = std::fs::read_to_string(&path) else { return Ok(None) };
    let read = Manifest::from_json(&text);
    read.map(Some).map_err(|error| Failure::new(format!("`{}`: {error}", path.display())))
}

/// Makes `.flash`, which tells git to leave it alone.
fn prepare_dir(dir: &Path) -> Result<(), Failure> {
    std::fs::create_dir_all(dir).during(format!("`{}` cannot be made", dir.display()))?;
    let ignore = dir.join(".gitignore");
    if !ignore.exists() {
        std::fs::write(&ignore, "*\n").during(format!("`{}` cannot be written", ignore.display()))?;
    }
    Ok(())
}

/// A build that is interrupted leaves the artifact of the one before.
fn write_whole(path: &Path, contents: &Contents) -> Result<Packed, Failure> {
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let what = || format!("`{}` cannot be written", path.display());
    let file = tempfile::NamedTempFile::new_in(parent).during(what())?;
    let packed = pack(contents, std::io::BufWriter::new(file.as_file()), &Limits::default())
        .map_err(|error| Failure::of(exit::INVALID_APP, error.to_string()))?;
    file.persist(path).during(what())?;
    Ok(packed)
}

/// An artifact that `flash build` made.
pub(crate) fn read_artifact(artifact: PathBuf) -> Result<Built, Failure> {
    let missing =
        |_| Failure::new(format!("there is no artifact `{}`", artifact.display())).help("run `flash build`");
    let bytes = artifact.metadata().map_err(missing)?.len();
    let sha256 = sha256_of_file(&artifact).during("the artifact cannot be read")?;
    // What the artifact itself says counts; the copy beside it may be of another build.
    let unpacked = tempfile::tempdir().during("a temporary directory cannot be made")?;
    let installed =
        flash_bootstrap::install(&artifact, &unpacked.path().join("app"), None, &Limits::default())
            .map_err(|error| Failure::new(error.to_string()).help("run `flash build` again"))?;
    let text = std::fs::read_to_string(installed.dir.join(flash_bootstrap::MANIFEST_NAME))
        .during("the manifest of the artifact cannot be read")?;
    let manifest = Manifest::from_json(&text).map_err(|error| Failure::of(exit::INVALID_APP, error))?;
    manifest.validate().map_err(|errors| Failure::of(exit::INVALID_APP, errors.to_string()))?;
    let glibc = installed.index.target.glibc.map(|version| version.to_string());
    Ok(Built { binary: installed.binary, artifact, sha256, bytes, manifest, glibc })
}
