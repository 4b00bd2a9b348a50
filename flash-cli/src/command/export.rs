use std::collections::BTreeSet;

use crate::build::describe_source;
use crate::cli::ExportCommand;
use crate::failure::{During, Failure};
use crate::output::Output;
use crate::project::Project;
use crate::report::Exported;

/// The bases of the images that are written, and of those that start artifacts (`flash-bootstrap/images`).
const CPU_BASE: &str = "debian:bookworm-slim";
const GPU_BASE: &str = "nvidia/cuda:12.8.1-runtime-ubuntu24.04";

/// `flash export docker`: the binary in an image, which needs no artifact and no `flash-worker`.
pub(super) fn run(command: &ExportCommand, output: Output) -> Result<u8, Failure> {
    let ExportCommand::Docker { output: to, source } = command;
    let project = Project::find(source.package.as_deref())?;
    let (_, manifest, _) = describe_source(source, &project)?;
    let bin = project.bin(source.bin.as_deref())?;
    let dir = to.clone().unwrap_or_else(|| project.flash_dir().join("docker"));
    std::fs::create_dir_all(&dir).during(format!("`{}` cannot be made", dir.display()))?;
    let kinds: Vec<bool> = [false, true]
        .into_iter()
        .filter(|is_gpu| manifest.resources.values().any(|entry| entry.gpu_ids.is_some() == *is_gpu))
        .collect();
    let (mut written, mut commands, mut options) = (Vec::new(), Vec::new(), Vec::new());
    for is_gpu in kinds.iter().copied() {
        let of_kind =
            || manifest.resources.iter().filter(move |(_, entry)| entry.gpu_ids.is_some() == is_gpu);
        let packages: BTreeSet<&str> =
            of_kind().flat_map(|(_, entry)| entry.system_dependencies.iter().map(String::as_str)).collect();
        let kind = if is_gpu { "gpu" } else { "cpu" };
        let path = dir.join(format!("Dockerfile.{kind}"));
        let text = dockerfile(&project.package, &bin, is_gpu, &packages, &project.settings.assets);
        std::fs::write(&path, text).during(format!("`{}` cannot be written", path.display()))?;
        let name = &manifest.project_name;
        let image = match kinds.len() {
            1 => format!("registry.example/{name}:1"),
            _ => format!("registry.example/{name}:1-{kind}"),
        };
        let context = project.workspace_root.display();
        commands.push(format!("docker build -f {} -t {image} {context}", path.display()));
        commands.push(format!("docker push {image}"));
        match kinds.len() {
            1 => options.push(format!("--image {image}")),
            _ => options.extend(of_kind().map(|(endpoint, _)| format!("--image {endpoint}={image}"))),
        }
        written.push(path);
    }
    commands.push(format!("flash deploy {}", options.join(" ")));
    let text = format!("wrote {}\n\nnext:\n  {}", dir.display(), commands.join("\n  "));
    output.result(&text, &Exported { files: written, commands });
    Ok(0)
}

fn dockerfile(
    package: &str,
    bin: &str,
    is_gpu: bool,
    packages: &BTreeSet<&str>,
    assets: &[String],
) -> String {
    let base = if is_gpu { GPU_BASE } else { CPU_BASE };
    let install: Vec<&str> = ["ca-certificates"].into_iter().chain(packages.iter().copied()).collect();
    let copies: String = assets.iter().map(|asset| format!("COPY {asset} /app/{asset}\n")).collect();
    format!(
        "# The app in an image of its own, for `flash deploy --image`. It needs no artifact; images that start artifacts are in\n\
         # flash-bootstrap/images of flash's sources. The environment gives it its role: FLASH_RESOURCE_NAME names the endpoint.\n\
         FROM rust:1.95-bookworm AS build\n\
         WORKDIR /src\n\
         COPY . .\n\
         RUN cargo build --release --locked --package {package} --bin {bin}\n\
         RUN FLASH_DESCRIBE=/src/flash_manifest.json /src/target/release/{bin}\n\
         \n\
         FROM {base}\n\
         RUN apt-get update && apt-get install --yes --no-install-recommends {} && rm -rf /var/lib/apt/lists/*\n\
         WORKDIR /app\n\
         COPY --from=build /src/flash_manifest.json /src/target/release/{bin} /app/\n\
         {copies}CMD [\"/app/{bin}\"]\n",
        install.join(" ")
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An artifact and an image of the same app find the same libraries.
    #[test]
    fn worker_images_have_the_same_bases_and_build_what_they_start() {
        for (text, base) in [
            (include_str!("../../../flash-bootstrap/images/cpu.Dockerfile"), CPU_BASE),
            (include_str!("../../../flash-bootstrap/images/gpu.Dockerfile"), GPU_BASE),
        ] {
            let lines: Vec<&str> = text.lines().filter(|line| !line.starts_with('#')).collect();
            assert!(lines.contains(&format!("FROM {base}").as_str()), "{text}");
            let own = dockerfile("shop", "shop-bin", base == GPU_BASE, &BTreeSet::new(), &[]);
            let builder = lines.iter().find(|line| line.ends_with(" AS build"));
            assert!(builder.is_some_and(|line| own.lines().any(|own| own == *line)), "{text}");
            assert!(text.contains("--package flash-bootstrap --bin flash-worker"), "{text}");
        }
        assert!(include_str!("../../../flash-bootstrap/Cargo.toml").contains("name = \"flash-worker\""));
    }

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
