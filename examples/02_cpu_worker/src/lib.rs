//! One function on a CPU endpoint, which tells what machine it runs on.

pub mod cpu;

use flash::prelude::*;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::cpu::{CpuError, CpuInfo};

/// The smallest CPU instance: one core, 2 GB.
pub static CPU_WORKER: Endpoint = Endpoint::queue("01_02_cpu_worker").cpu(&["cpu3c-1-2"]);

/// What [`cpu_hello`](fn@cpu_hello) answers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CpuHello {
    /// Always `success`: a failure is an error, not an answer.
    pub status: String,
    /// The greeting.
    pub message: String,
    /// The kind of the endpoint, `CPU`.
    pub worker_type: String,
    /// The machine.
    pub cpu_info: CpuInfo,
    /// When the answer was made.
    pub timestamp: Timestamp,
    /// Operating system and instruction set, such as `linux-x86_64`.
    pub platform: String,
    /// The compiler that built this program.
    pub rust_version: String,
}

/// Greets by name and tells what machine it runs on.
///
/// # Errors
/// [`CpuError`] when the machine cannot be told.
#[remote(resource = CPU_WORKER)]
pub async fn cpu_hello(
    #[remote(default = "Anonymous Panda".to_owned())] name: String,
) -> Result<CpuHello, CpuError> {
    Ok(CpuHello {
        status: "success".to_owned(),
        message: format!("Hello, {name}!"),
        worker_type: "CPU".to_owned(),
        cpu_info: CpuInfo::read()?,
        timestamp: Timestamp::now(),
        platform: format!("{}-{}", std::env::consts::OS, std::env::consts::ARCH),
        rust_version: env!("RUSTC_VERSION").to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn an_annotated_function_is_still_a_function() {
        let answer = cpu_hello("Flash User".to_owned()).await.unwrap();
        assert_eq!((answer.message.as_str(), answer.worker_type.as_str()), ("Hello, Flash User!", "CPU"));
        assert!(answer.cpu_info.logical_cores >= 1);
        assert!(answer.rust_version.starts_with("1."), "{}", answer.rust_version);
    }

    #[tokio::test]
    async fn names_are_taken_as_they_are() {
        for name in ["", "パンダ", "{name}"] {
            assert_eq!(cpu_hello(name.to_owned()).await.unwrap().message, format!("Hello, {name}!"));
        }
    }

    #[tokio::test]
    async fn an_answer_reads_back() {
        let answer = cpu_hello::remote("Flash User".to_owned()).await.unwrap();
        assert_eq!(answer.message, "Hello, Flash User!");
    }
}
