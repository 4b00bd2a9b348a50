use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::time::Duration;

use flash_core::manifest::Manifest;
use flash_local::LocalPlatform;

use super::interrupt::Interrupt;
use super::serving::{endpoint, tell, tell_logs};
use crate::build::read_artifact;
use crate::cli::PreviewArgs;
use crate::failure::{During, Failure};
use crate::output::Output;
use crate::project::Project;

/// Between two looks at what the workers print.
const LOOK: Duration = Duration::from_millis(200);

/// `flash preview`: what `flash build` packed.
pub(super) async fn run(args: &PreviewArgs, output: Output) -> Result<u8, Failure> {
    let artifact = match &args.artifact {
        Some(artifact) => artifact.clone(),
        None => Project::find(None)?.flash_dir().join("artifact.tar.gz"),
    };
    let built = read_artifact(artifact)?;
    serve(&built.artifact, &built.manifest, args.port, output).await
}

/// Also `flash build --preview`: what is in the artifact, one process for each endpoint, until Ctrl-C.
pub(super) async fn serve(
    artifact: &Path,
    manifest: &Manifest,
    port: u16,
    output: Output,
) -> Result<u8, Failure> {
    let mut interrupt = Interrupt::listen();
    let dir = tempfile::tempdir().during("a temporary directory cannot be made")?;
    let limits = flash_bootstrap::Limits::default();
    let installed = flash_bootstrap::install(artifact, &dir.path().join("app"), None, &limits)
        .during("the artifact cannot be unpacked")?;
    installed
        .index
        .target
        .check(&flash_bootstrap::Machine::this())
        .map_err(|error| Failure::new(error.to_string()))?;
    let address: SocketAddr = (Ipv4Addr::LOCALHOST, port).into();
    let platform = LocalPlatform::builder().address(address).start().await;
    let platform = platform
        .during(format!("port {port}"))
        .map_err(|failure| failure.help("choose another one with --port"))?;
    let specs = manifest
        .resources
        .iter()
        .map(|(name, entry)| endpoint(manifest, name, entry, &installed.binary, &installed.dir));
    platform.add_endpoints(specs).await.during("the endpoints cannot be served")?;
    tell(&platform, manifest, output);
    let mut told = BTreeMap::new();
    loop {
        tokio::select! {
            () = tokio::time::sleep(LOOK) => tell_logs(&platform, &mut told, output),
            () = interrupt.came() => break,
        }
    }
    output.note("stopping");
    platform.shutdown().await;
    Ok(0)
}
