use std::convert::Infallible;

use flash::prelude::*;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{
    model::{Classifier, ModelInfo, Prediction},
    postprocess::preview,
    text::MAX_CHARS,
};

/// Runs the model.
pub static GPU_INFERENCE: Endpoint = Endpoint::queue("01_03_mixed_inference").gpu(&["ADA_24"]).workers(0, 3);

/// The worker has the model before it takes its first job.
impl FromWorker for Classifier {
    type Error = Infallible;

    async fn from_worker(_worker: &Worker) -> Result<Self, Infallible> {
        Ok(Self::committed().clone())
    }
}

/// Why a text cannot be given to the model.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, RemoteError)]
#[remote(status = 422, terminal)]
pub enum InferenceError {
    /// Nothing but white space.
    #[error("the cleaned text is blank\nhelp: send the `cleaned_text` of a preprocessing answer")]
    BlankText,
    /// Above [`MAX_CHARS`].
    #[error("the cleaned text has {chars} characters, more than {MAX_CHARS}")]
    TextTooLong {
        /// Characters found.
        chars: usize,
    },
}

/// What [`gpu_inference`](fn@gpu_inference) answers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Inference {
    /// Always `success`: a failure is an error, not an answer.
    pub status: String,
    /// Every label and its confidence, in the order positive, neutral, negative. They sum to 1.
    pub predictions: Vec<Prediction>,
    /// The model that answered.
    pub model_info: ModelInfo,
    /// What it was given.
    pub input_stats: InputStats,
    /// When the answer was made.
    pub timestamp: Timestamp,
    /// The stage that answered.
    pub worker_type: String,
}

/// What the model was given.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InputStats {
    /// First 100 characters of the cleaned text.
    pub cleaned_text: String,
    /// Words of the cleaned text, as the caller counted them.
    pub word_count: usize,
}

/// Stage two: asks the model.
///
/// Not `async`, because it computes and never waits: such a function runs where it holds up nobody else.
///
/// # Errors
/// [`InferenceError`] when the text is blank or too long.
#[remote(resource = GPU_INFERENCE)]
#[allow(clippy::needless_pass_by_value, reason = "what travels arrives by value")]
pub fn gpu_inference(
    cleaned_text: String,
    word_count: usize,
    model: State<Classifier>,
) -> Result<Inference, InferenceError> {
    let chars = cleaned_text.chars().count();
    if cleaned_text.trim().is_empty() {
        return Err(InferenceError::BlankText);
    }
    if chars > MAX_CHARS {
        return Err(InferenceError::TextTooLong { chars });
    }
    Ok(Inference {
        status: "success".to_owned(),
        predictions: model.predict(&cleaned_text),
        model_info: model.info().clone(),
        input_stats: InputStats { cleaned_text: preview(&cleaned_text), word_count },
        timestamp: Timestamp::now(),
        worker_type: "GPU Inference".to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Label;

    fn model() -> State<Classifier> {
        State::new(Classifier::committed().clone())
    }

    #[test]
    fn a_text_is_classified() {
        let answer = gpu_inference("I love it!".to_owned(), 3, model()).unwrap();
        assert_eq!(answer.predictions[0].label, Label::Positive);
        assert!(answer.predictions[0].confidence > 0.5, "{answer:?}");
        assert_eq!(answer.input_stats, InputStats { cleaned_text: "I love it!".to_owned(), word_count: 3 });
        assert_eq!(answer.model_info.device, "cpu");
    }

    #[test]
    fn texts_that_no_preprocessing_makes_are_refused() {
        assert_eq!(gpu_inference(" ".to_owned(), 0, model()), Err(InferenceError::BlankText));
        let long = "x".repeat(MAX_CHARS + 1);
        assert_eq!(
            gpu_inference(long, 1, model()),
            Err(InferenceError::TextTooLong { chars: MAX_CHARS + 1 })
        );
    }
}
