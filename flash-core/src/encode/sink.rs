use std::io;

use super::TooLarge;

/// Room that every text gets.
const SMALL: usize = 128;

/// Keeps up to a limit and only counts beyond it, so that the error can name the whole size.
#[derive(Debug)]
pub(super) struct Sink {
    pub(super) bytes: Vec<u8>,
    pub(super) size: usize,
    pub(super) limit: usize,
}

impl Sink {
    /// For at most `limit` bytes, likely about `expected`.
    pub(super) fn new(limit: usize, expected: usize) -> Self {
        Self { bytes: Vec::with_capacity(expected.min(limit).max(SMALL)), size: 0, limit }
    }

    #[inline]
    pub(super) fn push(&mut self, bytes: &[u8]) {
        self.size += bytes.len();
        if self.size <= self.limit {
            self.bytes.extend_from_slice(bytes);
        }
    }

    pub(super) fn finish(self) -> Result<Vec<u8>, TooLarge> {
        if self.size > self.limit {
            return Err(TooLarge { size: self.size, limit: self.limit });
        }
        Ok(self.bytes)
    }
}

impl io::Write for Sink {
    #[inline]
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.push(bytes);
        Ok(bytes.len())
    }

    #[inline]
    fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.push(bytes);
        Ok(())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
