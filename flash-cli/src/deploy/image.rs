use flash_core::manifest::ResourceEntry;

/// The image of each kind of endpoint, where neither the resource nor a variable names one. Its Dockerfiles are what
/// `flash export docker` writes.
const IMAGES: [(&str, &str); 4] = [
    ("FLASH_GPU_IMAGE", "runpod/flash-rust-gpu:latest"),
    ("FLASH_CPU_IMAGE", "runpod/flash-rust-cpu:latest"),
    ("FLASH_LB_IMAGE", "runpod/flash-rust-gpu:latest"),
    ("FLASH_CPU_LB_IMAGE", "runpod/flash-rust-cpu:latest"),
];

/// The image that a worker of this endpoint starts from.
pub(super) fn image_of(entry: &ResourceEntry, lookup: impl Fn(&str) -> Option<String>) -> String {
    if let Some(image) = &entry.image_name {
        return image.clone();
    }
    let is_cpu = entry.instance_ids.is_some();
    let (variable, default) = match (entry.is_load_balanced, is_cpu) {
        (false, false) => IMAGES[0],
        (false, true) => IMAGES[1],
        (true, false) => IMAGES[2],
        (true, true) => IMAGES[3],
    };
    lookup(variable).filter(|image| !image.trim().is_empty()).unwrap_or_else(|| default.to_owned())
}
