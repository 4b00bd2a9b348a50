use std::path::Path;

use flash_core::Registry;

/// Lies in every Flash binary, so that a command can tell one from another program before it runs it.
#[used]
static MARKER: [u8; 27] = *b"flash-describe-protocol: 1\n";

/// Writes the manifest to `file`, without the hash of this binary: whoever packs it adds that, faster than an unoptimised
/// program hashes its hundreds of megabytes after every edit. Warnings go to standard error, because the file is for programs.
pub(crate) fn write(registry: &Registry, file: &Path) -> Result<(), String> {
    if registry.is_empty() {
        return Err(Registry::empty_help());
    }
    let described = registry.describe(&project_name());
    described.manifest.validate().map_err(|errors| errors.to_string())?;
    #[allow(clippy::print_stderr, reason = "the log is not installed, and a build tool reads this")]
    for warning in &described.warnings {
        eprintln!("warning: {warning}");
    }
    let json = described.manifest.to_json().map_err(|error| error.to_string())?;
    std::fs::write(file, json)
        .map_err(|error| format!("the manifest could not be written to `{}`: {error}", file.display()))
}

/// The app is called like its binary.
pub(crate) fn project_name() -> String {
    std::env::current_exe()
        .ok()
        .and_then(|path| Some(path.file_stem()?.to_string_lossy().into_owned()))
        .unwrap_or_else(|| "app".to_owned())
}
