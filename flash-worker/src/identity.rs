use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

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
pub(crate) fn request_id() -> Arc<str> {
    static PROCESS: OnceLock<u64> = OnceLock::new();
    static NEXT: AtomicU64 = AtomicU64::new(1);
    // `RandomState` is seeded by the operating system once per process.
    let process = PROCESS.get_or_init(|| {
        use std::hash::{BuildHasher, Hasher};
        std::collections::hash_map::RandomState::new().build_hasher().finish()
    });
    let mut text = [0; 33];
    let mut start = hex(NEXT.fetch_add(1, Ordering::Relaxed), 1, &mut text);
    start -= 1;
    text[start] = b'-';
    start = hex(*process, 16, &mut text[..start]);
    // Hexadecimal digits and a dash.
    std::str::from_utf8(&text[start..]).unwrap_or_default().into()
}

/// Writes a number at the end of `text`, with at least so many digits; returns where it begins. `format!` would cost a
/// request more than its arguments do.
fn hex(mut number: u64, digits: usize, text: &mut [u8]) -> usize {
    let mut start = text.len();
    while number > 0 || text.len() - start < digits {
        start -= 1;
        text[start] = b"0123456789abcdef"[(number & 0xf) as usize];
        number >>= 4;
    }
    start
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_the_process_and_a_count() {
        let (first, second) = (request_id(), request_id());
        let parts = |id: &str| {
            let (process, count) = id.split_once('-').unwrap();
            (process.to_owned(), process.len(), u64::from_str_radix(count, 16).unwrap())
        };
        let (first, second) = (parts(&first), parts(&second));
        assert_eq!((&first.0, first.1), (&second.0, 16));
        assert!(second.2 > first.2);
    }

    #[test]
    fn numbers_are_written_as_format_writes_them() {
        for number in [0, 1, 0xf, 0x10, 0xabc_def, u64::MAX] {
            let mut text = [0; 33];
            let start = hex(number, 1, &mut text);
            assert_eq!(text[start..], *format!("{number:x}").as_bytes());
            let start = hex(number, 16, &mut text);
            assert_eq!(text[start..], *format!("{number:016x}").as_bytes());
        }
    }
}
