//! Checksums of rows.

use crc32fast::Hasher;

/// A checksum over the values of a row, each with its length, so that no two rows read the same.
#[derive(Default)]
pub(super) struct Sum(Hasher);

impl Sum {
    pub(super) fn number(mut self, number: i64) -> Self {
        self.0.update(&number.to_le_bytes());
        self
    }

    pub(super) fn optional(self, number: Option<i64>) -> Self {
        self.number(i64::from(number.is_some())).number(number.unwrap_or_default())
    }

    pub(super) fn text(self, text: &str) -> Self {
        let mut sum = self.number(text.len() as i64);
        sum.0.update(text.as_bytes());
        sum
    }

    pub(super) fn optional_text(self, text: Option<&str>) -> Self {
        self.number(i64::from(text.is_some())).text(text.unwrap_or_default())
    }

    pub(super) fn done(self) -> i64 {
        i64::from(self.0.finalize())
    }
}
