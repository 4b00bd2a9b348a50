use std::collections::BTreeSet;

use crate::build::describe_source;
use crate::cli::ExportCommand;
use crate::failure::{During, Failure};
use crate::output::Output;
use crate::project::Project;
use crate::report::Exported;

/// `flash export docker`: the binary in an image, which needs no artifact and no `flash-worker`.
pub(super) fn run(command: &ExportCommand, output: Output) -> Result<u8, Failure> {
    let ExportCommand::Docker { output: to, source } = command;
    let project = Project::find(source.package.as_deref())?;
    let (_, manifest, _) = describe_source(source, &project)?;
    let bin = project.bin(source.bin.as_deref())?;
    let dir = to.clone().unwrap_or_else(|| project.flash_dir().join("docker"));
    std::fs::create_dir_all(&dir).during(format!("`{}` cannot be made", dir.display()))?;
    let mut written = Vec::new();
    for is_gpu in [false, true] {
        let of_kind: Vec<_> =
            manifest.resources.values().filter(|entry| entry.gpu_ids.is_some() == is_gpu).collect();
        if of_kind.is_empty() {
            continue;
        }
        let packages: BTreeSet<&str> =
            of_kind.iter().flat_map(|entry| entry.system_dependencies.iter().map(String::as_str)).collect();
        let name = if is_gpu { "Dockerfile.gpu" } else { "Dockerfile.cpu" };
        let path = dir.join(name);
        let text = dockerfile(&project.package, &bin, is_gpu, &packages, &project.settings.assets);
        std::fs::write(&path, text).during(format!("`{}` cannot be written", path.display()))?;
        written.push(path);
    }
    let lines: Vec<String> = written
        .iter()
        .map(|path| {
            format!(
                "docker build -f {} -t {} {}",
                path.display(),
                manifest.project_name,
                project.workspace_root.display()
            )
        })
        .collect();
    let text = format!("wrote {}\n\nnext:\n  {}", dir.display(), lines.join("\n  "));
    output.result(&text, &Exported { files: written, commands: lines });
    Ok(0)
}

fn dockerfile(
    package: &str,
    bin: &str,
    is_gpu: bool,
    packages: &BTreeSet<&str>,
    assets: &[String],
) -> String {
    let base = if is_gpu { "nvidia/cuda:12.8.1-runtime-ubuntu24.04" } else { "debian:bookworm-slim" };
    let install: Vec<&str> = ["ca-certificates"].into_iter().chain(packages.iter().copied()).collect();
    let copies: String = assets.iter().map(|asset| format!("COPY {asset} /app/{asset}\n")).collect();
    format!(
        "# The app in an image of its own. The environment gives it its role: FLASH_RESOURCE_NAME names the endpoint.\n\
         FROM rust:1.95-bookworm AS build\n\
         WORKDIR /src\n\
         COPY . .\n\
         RUN cargo build --release --locked --package {package} --bin {bin}\n\
         \n\
         FROM {base}\n\
         RUN apt-get update && apt-get install --yes --no-install-recommends {} && rm -rf /var/lib/apt/lists/*\n\
         WORKDIR /app\n\
         COPY --from=build /src/target/release/{bin} /app/{bin}\n\
         {copies}CMD [\"/app/{bin}\"]\n",
        install.join(" ")
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_of_hardware_has_its_base_and_what_the_app_needs() {
        let packages: BTreeSet<&str> = ["ffmpeg"].into();
        let cpu = dockerfile("shop", "shop-bin", false, &packages, &["weights".to_owned()]);
        for line in ["FROM debian:bookworm-slim", "COPY weights /app/weights", "CMD [\"/app/shop-bin\"]"] {
            assert!(cpu.contains(&format!("{line}\n")), "{cpu}");
        }
        assert!(cpu.contains("ca-certificates ffmpeg"), "{cpu}");
        assert!(dockerfile("shop", "shop-bin", true, &packages, &[]).contains("FROM nvidia/cuda:"));
    }
}
