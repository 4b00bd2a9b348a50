use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

use flash_core::boot::Boot;

/// Who this worker is, in errors and to the platform.
#[derive(Debug, Clone)]
pub(crate) struct Identity {
    pub(crate) worker_id: String,
    pub(crate) hostname: String,
}

impl Identity {
    pub(crate) fn new(boot: &Boot) -> Self {
        Self {
            worker_id: boot.worker_id.clone().unwrap_or_else(|| format!("local-{}", std::process::id())),
            hostname: boot.hostname.clone().unwrap_or_else(|| "unknown".to_owned()),
        }
    }
}

/// A request id: unique among the processes of an app, and cheap, because every request gets one.
pub(crate) fn request_id() -> String {
    static PROCESS: OnceLock<u64> = OnceLock::new();
    static NEXT: AtomicU64 = AtomicU64::new(1);
    // `RandomState` is seeded by the operating system once per process.
    let process = PROCESS.get_or_init(|| {
        use std::hash::{BuildHasher, Hasher};
        std::collections::hash_map::RandomState::new().build_hasher().finish()
    });
    format!("{process:016x}-{:x}", NEXT.fetch_add(1, Ordering::Relaxed))
}
