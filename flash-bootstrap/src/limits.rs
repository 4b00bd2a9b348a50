/// What an artifact may be at most. An artifact beyond any of these is refused before it can fill a disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// Bytes of the packed artifact. 1 500 MiB, the platform's own limit (platform contract D.5).
    pub packed_bytes: u64,
    /// Bytes of all files together, unpacked. 8 GiB.
    pub unpacked_bytes: u64,
    /// Files. 50 000.
    pub files: usize,
    /// How many times larger than the artifact its files may be, beyond the first 64 MiB. 200; deflate itself ends at 1 032.
    pub ratio: u64,
}

/// Below this many unpacked bytes the ratio does not count: small files of zeros are no attack.
const RATIO_FLOOR: u64 = 64 << 20;

impl Default for Limits {
    fn default() -> Self {
        Self { packed_bytes: 1500 << 20, unpacked_bytes: 8 << 30, files: 50_000, ratio: 200 }
    }
}

impl Limits {
    /// Other limits than the default ones.
    #[must_use]
    pub fn new(packed_bytes: u64, unpacked_bytes: u64, files: usize, ratio: u64) -> Self {
        Self { packed_bytes, unpacked_bytes, files, ratio }
    }

    /// The bytes that an artifact of `packed` bytes may unpack to.
    pub(crate) fn allowance(&self, packed: u64) -> u64 {
        self.unpacked_bytes.min(RATIO_FLOOR.max(packed.saturating_mul(self.ratio)))
    }
}
