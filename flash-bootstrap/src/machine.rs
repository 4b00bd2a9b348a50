use std::collections::BTreeSet;
use std::path::Path;

use crate::target::GlibcVersion;

/// Where distributions keep the C library, for each processor.
const LIBC: [&str; 8] = [
    "/lib/x86_64-linux-gnu/libc.so.6",
    "/lib/aarch64-linux-gnu/libc.so.6",
    "/usr/lib/x86_64-linux-gnu/libc.so.6",
    "/usr/lib/aarch64-linux-gnu/libc.so.6",
    "/lib64/libc.so.6",
    "/usr/lib64/libc.so.6",
    "/usr/lib/libc.so.6",
    "/lib/libc.so.6",
];

/// The machine, or container, that an app is to run on.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Machine {
    /// Processor, as Rust names it.
    pub arch: String,
    /// Its glibc, where one was found.
    pub glibc: Option<GlibcVersion>,
    /// What exists instead of the real files, in tests.
    files: Option<BTreeSet<String>>,
}

impl Machine {
    /// A machine that is described instead of looked at.
    #[must_use]
    pub fn new(arch: &str, glibc: Option<GlibcVersion>) -> Self {
        Self { arch: arch.to_owned(), glibc, files: None }
    }

    /// Says which files it has, instead of asking the file system.
    #[must_use]
    pub fn with_files<'a>(mut self, files: impl IntoIterator<Item = &'a str>) -> Self {
        self.files = Some(files.into_iter().map(ToOwned::to_owned).collect());
        self
    }

    /// This machine.
    #[must_use]
    pub fn this() -> Self {
        let libc = LIBC.iter().filter_map(|path| std::fs::read(path).ok());
        let glibc = libc.into_iter().find_map(|data| crate::elf::provided_glibc(&data));
        Self::new(std::env::consts::ARCH, glibc)
    }

    pub(crate) fn has_file(&self, path: &str) -> bool {
        self.files.as_ref().map_or_else(|| Path::new(path).exists(), |files| files.contains(path))
    }
}
