//! One function on a GPU endpoint, which tells what GPU it runs on.

pub mod gpu;

use flash::prelude::*;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::gpu::{GpuInfo, GpuProbe, NvmlProbe};

/// The smallest GPU endpoint: one pool, and no worker while nothing is to do.
pub static GPU_WORKER: Endpoint =
    Endpoint::queue("01_01_gpu_worker").gpu(&["NVIDIA GeForce RTX 4090"]).workers(0, 3).idle_timeout_secs(5);

/// What [`gpu_hello`](fn@gpu_hello) answers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct GpuHello {
    /// Always `success`: a failure is an error, not an answer.
    pub status: String,
    /// The message that was sent.
    pub message: String,
    /// The kind of the endpoint, `GPU`.
    pub worker_type: String,
    /// `gpu`, or `cpu-fallback` on a machine without one.
    pub mode: String,
    /// The GPU.
    pub gpu_info: GpuInfo,
    /// When the answer was made.
    pub timestamp: Timestamp,
    /// Operating system and instruction set, such as `linux-x86_64`.
    pub platform: String,
    /// The compiler that built this program.
    pub rust_version: String,
}

/// Says hello and tells what GPU it runs on.
///
/// Not `async`, because the driver makes its callers wait: such a function runs where waiting holds up nobody else.
///
/// # Errors
/// None of its own.
#[remote(resource = GPU_WORKER)]
pub fn gpu_hello(
    #[remote(default = "Hello from GPU worker!".to_owned())] message: String,
) -> Result<GpuHello, flash::Error> {
    Ok(hello(message, &NvmlProbe))
}

fn hello(message: String, probe: &impl GpuProbe) -> GpuHello {
    let gpu_info = GpuInfo::of(probe);
    GpuHello {
        status: "success".to_owned(),
        message,
        worker_type: "GPU".to_owned(),
        mode: if gpu_info.available { "gpu" } else { "cpu-fallback" }.to_owned(),
        gpu_info,
        timestamp: Timestamp::now(),
        platform: format!("{}-{}", std::env::consts::OS, std::env::consts::ARCH),
        rust_version: env!("RUSTC_VERSION").to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gpu::fake::FakeProbe;

    #[test]
    fn an_annotated_function_is_still_a_function() {
        let answer = gpu_hello("Hi".to_owned()).unwrap();
        assert_eq!((answer.message.as_str(), answer.worker_type.as_str()), ("Hi", "GPU"));
        assert_eq!(answer.mode == "gpu", answer.gpu_info.available);
    }

    #[test]
    fn the_mode_is_honest() {
        assert_eq!(hello(String::new(), &FakeProbe::with_gpu()).mode, "gpu");
        assert_eq!(hello(String::new(), &FakeProbe::without_gpu()).mode, "cpu-fallback");
    }

    #[test]
    fn an_answer_reads_back() {
        let answer = hello("Hi".to_owned(), &FakeProbe::with_gpu());
        let json = serde_json::to_string(&answer).unwrap();
        assert_eq!(serde_json::from_str::<GpuHello>(&json).unwrap(), answer);
    }

    #[test]
    fn the_compiler_is_named() {
        assert!(hello(String::new(), &FakeProbe::with_gpu()).rust_version.starts_with("1."));
    }
}
