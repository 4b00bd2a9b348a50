use std::io::Read;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use flash_core::manifest::Manifest;

use crate::failure::{During, Failure, exit};

/// Lies in every binary that can describe itself (flash-worker/src/describe.rs).
const MARKER: &[u8] = b"flash-describe-protocol: 1\n";
/// A binary that runs something else than the description is stopped.
const LIMIT: Duration = Duration::from_secs(10);

/// Asks a binary for its manifest; what it warns of comes along.
pub(crate) fn describe(binary: &Path) -> Result<(Manifest, Vec<String>), Failure> {
    let bytes = std::fs::read(binary).during(format!("`{}` cannot be read", binary.display()))?;
    if memchr::memmem::find(&bytes, MARKER).is_none() {
        return Err(Failure::of(exit::INVALID_APP, format!("`{}` is not a Flash app", binary.display()))
            .help("its main calls `flash::run()`, or has #[flash::main]"));
    }
    drop(bytes);
    let dir = tempfile::tempdir().during("a temporary directory cannot be made")?;
    let file = dir.path().join("flash_manifest.json");
    let mut child = Command::new(binary)
        .env_clear()
        .env("FLASH_DESCRIBE", &file)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .during(format!("`{}` cannot be started to describe itself", binary.display()))?;
    let errors = child.stderr.take();
    let reader = std::thread::spawn(move || {
        let mut text = String::new();
        // What cannot be read is not told; the exit status decides.
        let _ = errors.map(|mut errors| errors.read_to_string(&mut text));
        text
    });
    let begun = Instant::now();
    let status = loop {
        if let Some(status) = child.try_wait().during("the binary cannot be waited for")? {
            break status;
        }
        if begun.elapsed() > LIMIT {
            let _ = child.kill();
            let _ = child.wait();
            return Err(Failure::of(exit::INVALID_APP, "the binary did not describe itself within 10 s")
                .help("does something run before `flash::run()` in its main, or in a static initialiser?"));
        }
        std::thread::sleep(Duration::from_millis(5));
    };
    let said = reader.join().unwrap_or_default();
    if !status.success() {
        let said = said.trim().trim_start_matches("error: ");
        return Err(Failure::of(exit::INVALID_APP, format!("the app is invalid:\n{said}")));
    }
    let text = std::fs::read_to_string(&file).during("the description cannot be read")?;
    let manifest = Manifest::from_json(&text).map_err(|error| Failure::of(exit::INVALID_APP, error))?;
    manifest
        .validate()
        .map_err(|errors| Failure::of(exit::INVALID_APP, format!("the app is invalid:\n{errors}")))?;
    let warnings = said.split("warning: ").map(str::trim).filter(|text| !text.is_empty());
    Ok((manifest, warnings.map(ToOwned::to_owned).collect()))
}
