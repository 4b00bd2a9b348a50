use std::{fmt::Write as _, sync::LazyLock};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::{
    features::features,
    label::{Label, Prediction},
    weights::{CLASSES, Weights, WeightsError},
};

static COMMITTED: &[u8] = include_bytes!("../../weights/sentiment.bin");

/// Which model answered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ModelInfo {
    /// Name of the model.
    pub model_type: String,
    /// Version of the weights, the date they were trained on.
    pub version: String,
    /// How they are evaluated.
    pub engine: String,
    /// Where they are evaluated. Always `cpu`: a gather over 128 KiB is done before a GPU has been asked.
    pub device: String,
    /// First 12 hexadecimal digits of the SHA-256 of the weights file.
    pub weights: String,
}

/// The model, ready to answer.
#[derive(Debug, Clone)]
pub struct Classifier {
    weights: Weights,
    info: ModelInfo,
}

impl Classifier {
    /// The model with the weights of this repository.
    #[must_use]
    pub fn committed() -> &'static Self {
        static COMMITTED_MODEL: LazyLock<Classifier> = LazyLock::new(|| {
            Classifier::from_bytes(COMMITTED).expect("a test reads the committed weights file")
        });
        &COMMITTED_MODEL
    }

    /// A model with other weights.
    ///
    /// # Errors
    /// [`WeightsError`] when `bytes` are not a complete weights file.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, WeightsError> {
        let weights = Weights::from_bytes(bytes)?;
        let mut digest = String::with_capacity(12);
        for byte in &Sha256::digest(bytes)[..6] {
            // Writing to a String cannot fail.
            let _ = write!(digest, "{byte:02x}");
        }
        let info = ModelInfo {
            model_type: "sentiment".to_owned(),
            version: "1".to_owned(),
            engine: "hashed-ngram-softmax".to_owned(),
            device: "cpu".to_owned(),
            weights: digest,
        };
        Ok(Self { weights, info })
    }

    /// Which model this is.
    #[must_use]
    pub fn info(&self) -> &ModelInfo {
        &self.info
    }

    /// How likely each label is, in the order of [`Label::ALL`], rounded to four decimals. The same text always gets the same
    /// answer, and the confidences sum to 1 within the rounding.
    #[must_use]
    pub fn predict(&self, text: &str) -> Vec<Prediction> {
        let shares = softmax(self.weights.scores(&features(text)));
        let rounded = shares.map(|share| (share * 1e4).round() / 1e4);
        Label::ALL
            .into_iter()
            .zip(rounded)
            .map(|(label, confidence)| Prediction { label, confidence })
            .collect()
    }
}

fn softmax(scores: [f64; CLASSES]) -> [f64; CLASSES] {
    // The largest score is taken away first, because the exponential of a large one is infinite.
    let largest = scores.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let powers = scores.map(|score| (score - largest).exp());
    let sum: f64 = powers.iter().sum();
    powers.map(|power| power / sum)
}
