/// Looks for `count` usable GPUs and a driver for this CUDA version.
///
/// # Errors
/// What is missing.
#[cfg(feature = "nvml")]
pub(super) fn check(count: u32, min_cuda: Option<&str>) -> Result<(), String> {
    use nvml_wrapper::{Nvml, cuda_driver_version_major, cuda_driver_version_minor};
    let nvml = Nvml::init().map_err(|error| format!("no NVIDIA driver can be used: {error}"))?;
    let found = nvml.device_count().map_err(|error| format!("the GPUs cannot be counted: {error}"))?;
    if found < count {
        return Err(format!("{found} GPUs are there, {count} are needed"));
    }
    for index in 0..count {
        // A GPU that has fallen off the bus is counted, and answers nothing.
        let memory = nvml.device_by_index(index).and_then(|device| device.memory_info());
        memory.map_err(|error| format!("GPU {index} cannot be used: {error}"))?;
    }
    if let Some(least) = min_cuda {
        let version =
            nvml.sys_cuda_driver_version().map_err(|error| format!("the driver has no version: {error}"))?;
        let found = (cuda_driver_version_major(version), cuda_driver_version_minor(version));
        is_new_enough(found, least)?;
    }
    Ok(())
}

/// A build without NVML cannot look.
///
/// # Errors
/// Never.
#[cfg(not(feature = "nvml"))]
pub(super) fn check(_: u32, min_cuda: Option<&str>) -> Result<(), String> {
    tracing::debug!(min_cuda, "the GPU is not looked at: the feature `nvml` is off");
    Ok(())
}

/// Whether a driver supports this CUDA version, such as `12.4`.
#[cfg_attr(not(feature = "nvml"), allow(dead_code, reason = "only NVML knows versions"))]
fn is_new_enough(found: (i32, i32), least: &str) -> Result<(), String> {
    let mut parts = least.trim().split('.').map(str::parse::<i32>);
    let (Some(Ok(major)), minor) = (parts.next(), parts.next()) else {
        return Err(format!("`{least}` is no CUDA version; it looks like 12.4"));
    };
    if found >= (major, minor.and_then(Result::ok).unwrap_or(0)) {
        return Ok(());
    }
    Err(format!("the driver supports CUDA {}.{}, {least} is needed", found.0, found.1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_compared_as_numbers() {
        assert_eq!(is_new_enough((12, 10), "12.4"), Ok(()));
        assert_eq!(is_new_enough((12, 4), "12.4"), Ok(()));
        assert_eq!(is_new_enough((13, 0), "12"), Ok(()));
        assert!(is_new_enough((11, 8), "12.0").unwrap_err().contains("supports CUDA 11.8, 12.0 is needed"));
        assert!(is_new_enough((12, 4), "new").unwrap_err().contains("looks like 12.4"));
    }
}
