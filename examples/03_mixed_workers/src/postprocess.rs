//! Stage three: from probabilities to an answer that people and programs can act on.

use flash::RemoteError;
use serde::{Deserialize, Serialize};

use crate::model::{Label, Prediction};

/// Characters of the original text that an answer repeats.
pub const PREVIEW_CHARS: usize = 100;

/// Why predictions cannot be graded.
#[derive(Debug, Clone, PartialEq, thiserror::Error, RemoteError)]
#[remote(status = 422, terminal)]
pub enum PostprocessError {
    /// Nothing to grade.
    #[error("there are no predictions\nhelp: send the `predictions` of an inference answer")]
    NoPredictions,
    /// A probability below 0, above 1, or not a number.
    #[remote(code = "invalid_confidence")]
    #[error("the confidence of prediction {index} is {confidence}, expected a number from 0 to 1")]
    Confidence {
        /// Position in the list, from 0.
        index: usize,
        /// The value found.
        confidence: f64,
    },
}

/// How far to trust a label.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ConfidenceLevel {
    /// Above 0.8.
    High,
    /// Above 0.5.
    Medium,
    /// The rest.
    Low,
}

impl ConfidenceLevel {
    /// The level of a confidence from 0 to 1.
    #[must_use]
    pub fn of(confidence: f64) -> Self {
        match confidence {
            c if c > 0.8 => Self::High,
            c if c > 0.5 => Self::Medium,
            _ => Self::Low,
        }
    }
}

/// The verdict on a text.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Classification {
    /// The most likely label; the first of them when several are equally likely.
    pub label: Label,
    /// Probability from 0 to 1.
    pub confidence: f64,
    /// The same in words.
    pub confidence_level: ConfidenceLevel,
}

/// Picks the most likely label.
///
/// # Errors
/// [`PostprocessError`] when there are no predictions or a confidence is not from 0 to 1.
pub fn grade(predictions: &[Prediction]) -> Result<Classification, PostprocessError> {
    let mut best: Option<&Prediction> = None;
    for (index, prediction) in predictions.iter().enumerate() {
        let confidence = prediction.confidence;
        if !(0.0..=1.0).contains(&confidence) {
            return Err(PostprocessError::Confidence { index, confidence });
        }
        if best.is_none_or(|best| confidence > best.confidence) {
            best = Some(prediction);
        }
    }
    let Prediction { label, confidence } = *best.ok_or(PostprocessError::NoPredictions)?;
    Ok(Classification { label, confidence, confidence_level: ConfidenceLevel::of(confidence) })
}

/// The first [`PREVIEW_CHARS`] characters of a text, with `...` when that is not all of it.
#[must_use]
pub fn preview(text: &str) -> String {
    match text.char_indices().nth(PREVIEW_CHARS) {
        Some((end, _)) => format!("{}...", &text[..end]),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn predictions(confidences: [f64; 3]) -> Vec<Prediction> {
        Label::ALL
            .into_iter()
            .zip(confidences)
            .map(|(label, confidence)| Prediction { label, confidence })
            .collect()
    }

    #[test]
    fn the_most_likely_label_wins() {
        let verdict = grade(&predictions([0.05, 0.05, 0.9])).unwrap();
        assert_eq!((verdict.label, verdict.confidence_level), (Label::Negative, ConfidenceLevel::High));
        let tie = grade(&predictions([0.4, 0.4, 0.2])).unwrap();
        assert_eq!((tie.label, tie.confidence_level), (Label::Positive, ConfidenceLevel::Low));
    }

    #[test]
    fn levels_begin_above_their_bounds() {
        use ConfidenceLevel::{High, Low, Medium};
        for (confidence, level) in
            [(0.0, Low), (0.5, Low), (0.51, Medium), (0.8, Medium), (0.81, High), (1.0, High)]
        {
            assert_eq!(ConfidenceLevel::of(confidence), level, "{confidence}");
        }
    }

    #[test]
    fn impossible_predictions_are_refused() {
        assert_eq!(grade(&[]), Err(PostprocessError::NoPredictions));
        for bad in [-0.1, 1.1, f64::INFINITY] {
            assert_eq!(
                grade(&predictions([0.5, bad, 0.5])),
                Err(PostprocessError::Confidence { index: 1, confidence: bad })
            );
        }
        assert!(grade(&predictions([f64::NAN, 0.0, 0.0])).is_err());
    }

    #[test]
    fn a_preview_is_cut_between_characters() {
        assert_eq!(preview("short"), "short");
        assert_eq!(preview(&"é".repeat(100)), "é".repeat(100));
        assert_eq!(preview(&"é".repeat(101)), format!("{}...", "é".repeat(100)));
    }
}
