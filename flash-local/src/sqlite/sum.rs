//! Checksums of rows.

use crc32fast::Hasher;

/// A checksum over the values of a row, each with its length, so that no two rows read the same.
pub(super) struct Sum {
    hasher: Hasher,
    /// Values that are not in the hash yet: it takes many small pieces for far more than the same bytes at once.
    waiting: [u8; WAITING],
    filled: usize,
}

const WAITING: usize = 256;

impl Default for Sum {
    fn default() -> Self {
        Self { hasher: Hasher::new(), waiting: [0; WAITING], filled: 0 }
    }
}

impl Sum {
    pub(super) fn number(mut self, number: i64) -> Self {
        self.add(&number.to_le_bytes());
        self
    }

    pub(super) fn optional(self, number: Option<i64>) -> Self {
        self.number(i64::from(number.is_some())).number(number.unwrap_or_default())
    }

    pub(super) fn text(self, text: &str) -> Self {
        let mut sum = self.number(text.len() as i64);
        sum.add(text.as_bytes());
        sum
    }

    pub(super) fn optional_text(self, text: Option<&str>) -> Self {
        self.number(i64::from(text.is_some())).text(text.unwrap_or_default())
    }

    pub(super) fn done(mut self) -> i64 {
        self.flush();
        i64::from(self.hasher.finalize())
    }

    fn add(&mut self, bytes: &[u8]) {
        if bytes.len() > WAITING - self.filled {
            self.flush();
        }
        match self.waiting.get_mut(self.filled..self.filled + bytes.len()) {
            Some(place) => {
                place.copy_from_slice(bytes);
                self.filled += bytes.len();
            }
            None => self.hasher.update(bytes),
        }
    }

    fn flush(&mut self) {
        self.hasher.update(&self.waiting[..self.filled]);
        self.filled = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_the_sum_of_all_bytes_however_long_the_values_are() {
        for length in [0, 1, 239, 240, 241, 256, 257, 10_000] {
            let text = "x".repeat(length);
            let sum = Sum::default().number(-7).text(&text).optional(Some(9)).optional_text(None).done();
            let mut bytes = [(-7_i64).to_le_bytes(), (length as i64).to_le_bytes()].concat();
            bytes.extend(text.as_bytes());
            for number in [1_i64, 9, 0, 0] {
                bytes.extend(number.to_le_bytes());
            }
            assert_eq!(sum, i64::from(crc32fast::hash(&bytes)), "{length}");
        }
    }
}
