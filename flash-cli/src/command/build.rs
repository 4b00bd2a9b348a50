use super::preview;
use crate::build::build;
use crate::cli::BuildArgs;
use crate::failure::{During, Failure};
use crate::output::Output;
use crate::project::Project;
use crate::report::Packed;

/// `flash build`
pub(super) async fn run(args: &BuildArgs, output: Output) -> Result<u8, Failure> {
    let project = Project::find(args.source.package.as_deref())?;
    let built = build(&args.source, &project, args.output.as_deref(), output)?;
    if args.keep_build {
        let dir = project.flash_dir().join("build");
        flash_bootstrap::install(&built.artifact, &dir, None, &flash_bootstrap::Limits::default())
            .during("the artifact cannot be unpacked")?;
        output.note(format_args!("unpacked in {}", dir.display()));
    }
    if args.preview {
        return preview::serve(&built.artifact, &built.manifest, args.port, output).await;
    }
    let endpoints: Vec<&str> = built.manifest.resources.keys().map(String::as_str).collect();
    let floor =
        built.glibc.as_deref().map(|version| format!(", glibc {version} or newer")).unwrap_or_default();
    let target = built.manifest.rust.as_ref().map(|rust| rust.target.clone()).unwrap_or_default();
    let text = format!(
        "{}\n  {} for {target}{floor}\n  sha256 {}\n  endpoints: {}\n\nnext: flash deploy",
        built.artifact.display(),
        size(built.bytes),
        built.sha256,
        endpoints.join(", "),
    );
    let document = Packed {
        endpoints: endpoints.iter().map(|name| (*name).to_owned()).collect(),
        artifact: built.artifact,
        sha256: built.sha256,
        bytes: built.bytes,
        target,
        glibc: built.glibc,
        source_fingerprint: built.manifest.source_fingerprint,
    };
    output.result(&text, &document);
    Ok(0)
}

pub(super) fn size(bytes: u64) -> String {
    let tenths = bytes.saturating_mul(10) >> 20;
    format!("{}.{} MiB", tenths / 10, tenths % 10)
}
