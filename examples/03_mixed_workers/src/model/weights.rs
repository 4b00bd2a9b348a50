use super::{features::Feature, label::Label};

/// Buckets of the table.
pub const BUCKETS: usize = 1 << 15;
/// Classes, in the order of [`Label::ALL`].
pub const CLASSES: usize = Label::ALL.len();

const MAGIC: &[u8; 8] = b"SENTI\0\0\x01";
/// Magic, then a bias and a scale for each class.
const HEADER: usize = MAGIC.len() + 2 * CLASSES * size_of::<f32>();
const SIZE: usize = HEADER + BUCKETS * (1 + CLASSES);

/// Why a weights file cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WeightsError {
    /// The magic number is another one.
    #[error("the data does not begin like a sentiment weights file, version 1")]
    NotWeights,
    /// The length is another one.
    #[error("the weights file has {found} bytes, expected {SIZE}")]
    Size {
        /// Bytes found.
        found: usize,
    },
    /// A bias or scale is infinite or not a number.
    #[error("a bias or scale of the weights file is not a finite number")]
    NotFinite,
}

/// The parameters of the model.
///
/// File format, little endian: 8 bytes magic and version; a bias per class, then a scale per class (`f32`); a tag per bucket
/// (`u8`, 0 = empty); the weights per bucket and class (`i8`, times the scale of the class).
#[derive(Debug, Clone, PartialEq)]
pub struct Weights {
    bias: [f32; CLASSES],
    scale: [f32; CLASSES],
    tags: Vec<u8>,
    rows: Vec<[i8; CLASSES]>,
}

impl Weights {
    /// Rounds trained parameters to what the file can hold. `table` has one tag and row for each bucket.
    ///
    /// # Panics
    /// When `table` does not have [`BUCKETS`] entries.
    #[must_use]
    pub fn quantised(bias: [f32; CLASSES], table: &[(u8, [f32; CLASSES])]) -> Self {
        assert_eq!(table.len(), BUCKETS, "the table has one entry for each bucket");
        let scale: [f32; CLASSES] = std::array::from_fn(|class| {
            let largest = table.iter().map(|(_, row)| row[class].abs()).fold(f32::MIN_POSITIVE, f32::max);
            largest / f32::from(i8::MAX)
        });
        let round =
            |row: &[f32; CLASSES]| std::array::from_fn(|class| (row[class] / scale[class]).round() as i8);
        Self {
            bias,
            scale,
            tags: table.iter().map(|(tag, _)| *tag).collect(),
            rows: table.iter().map(|(_, row)| round(row)).collect(),
        }
    }

    /// Reads a file.
    ///
    /// # Errors
    /// [`WeightsError`] when `bytes` are not a complete weights file.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, WeightsError> {
        let body = bytes.strip_prefix(MAGIC).ok_or(WeightsError::NotWeights)?;
        if bytes.len() != SIZE {
            return Err(WeightsError::Size { found: bytes.len() });
        }
        let (header, table) = body.split_at(HEADER - MAGIC.len());
        let (numbers, _) = header.as_chunks::<4>();
        let number = |index: usize| f32::from_le_bytes(numbers[index]);
        let bias: [f32; CLASSES] = std::array::from_fn(number);
        let scale: [f32; CLASSES] = std::array::from_fn(|class| number(CLASSES + class));
        if !bias.iter().chain(&scale).all(|number| number.is_finite()) {
            return Err(WeightsError::NotFinite);
        }
        let (tags, rows) = table.split_at(BUCKETS);
        let (rows, _) = rows.as_chunks::<CLASSES>();
        let rows = rows.iter().map(|row| row.map(u8::cast_signed)).collect();
        Ok(Self { bias, scale, tags: tags.to_vec(), rows })
    }

    /// Writes a file.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(SIZE);
        bytes.extend_from_slice(MAGIC);
        bytes.extend(self.bias.iter().chain(&self.scale).flat_map(|number| number.to_le_bytes()));
        bytes.extend_from_slice(&self.tags);
        bytes.extend(self.rows.iter().flatten().map(|weight| weight.cast_unsigned()));
        bytes
    }

    /// The score of each class for a set of features; their softmax is the answer.
    ///
    /// A text is damped from [`DAMPED_FROM`](Self::DAMPED_FROM) features on, so that its length alone makes nothing certain.
    #[must_use]
    pub fn scores(&self, features: &[Feature]) -> [f64; CLASSES] {
        let damping = Self::damping(features.len());
        let mut sums = [0i64; CLASSES];
        for row in features.iter().filter(|f| self.tags[f.bucket] == f.tag).map(|f| &self.rows[f.bucket]) {
            for (sum, weight) in sums.iter_mut().zip(row) {
                *sum += i64::from(*weight);
            }
        }
        std::array::from_fn(|class| {
            f64::from(self.bias[class]) + damping * f64::from(self.scale[class]) * sums[class] as f64
        })
    }

    /// Features from which on each counts for less: about those of a full tweet.
    pub const DAMPED_FROM: usize = 50;

    /// What each feature of a text with `count` of them counts.
    #[must_use]
    pub fn damping(count: usize) -> f64 {
        (Self::DAMPED_FROM as f64 / count.max(1) as f64).sqrt().min(1.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> Weights {
        let mut table = vec![(0, [0.0; CLASSES]); BUCKETS];
        table[7] = (9, [1.0, 0.5, -2.0]);
        Weights::quantised([0.1, 0.2, 0.3], &table)
    }

    #[test]
    fn a_file_reads_back_as_it_was_written() {
        let weights = sample();
        assert_eq!(Weights::from_bytes(&weights.to_bytes()), Ok(weights));
    }

    #[test]
    fn only_the_owner_of_a_bucket_uses_its_weights() {
        let weights = sample();
        let scores = weights.scores(&[Feature { bucket: 7, tag: 9 }]);
        for (score, expected) in scores.iter().zip([1.1, 0.7, -1.7]) {
            assert!((score - expected).abs() < 0.01, "{scores:?}");
        }
        assert_eq!(weights.scores(&[Feature { bucket: 7, tag: 8 }]), weights.scores(&[]));
    }

    #[test]
    fn damaged_files_are_refused() {
        let bytes = sample().to_bytes();
        assert_eq!(Weights::from_bytes(b"GIF89a"), Err(WeightsError::NotWeights));
        assert_eq!(Weights::from_bytes(&bytes[..100]), Err(WeightsError::Size { found: 100 }));
        let mut infinite = bytes;
        infinite[8..12].copy_from_slice(&f32::INFINITY.to_le_bytes());
        assert_eq!(Weights::from_bytes(&infinite), Err(WeightsError::NotFinite));
    }

    #[test]
    fn long_texts_are_damped() {
        assert_eq!(Weights::damping(0), 1.0);
        assert_eq!(Weights::damping(Weights::DAMPED_FROM), 1.0);
        assert_eq!(Weights::damping(4 * Weights::DAMPED_FROM), 0.5);
    }
}
