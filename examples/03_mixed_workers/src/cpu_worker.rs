use flash::prelude::*;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{
    model::Prediction,
    postprocess::{Classification, PostprocessError, grade, preview},
    text::{TextError, clean},
};

/// Cleans texts.
pub static CPU_PREPROCESS: Endpoint =
    Endpoint::queue("01_03_mixed_workers_cpu").cpu(&["cpu3g-2-8"]).idle_timeout_secs(3);

/// Grades predictions. An endpoint of its own, so that neither stage waits for jobs of the other.
pub static CPU_POSTPROCESS: Endpoint =
    Endpoint::queue("01_03_mixed_workers_cpu_postprocess").cpu(&["cpu3g-2-8"]).idle_timeout_secs(3);

/// What [`preprocess_text`](fn@preprocess_text) answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Preprocessed {
    /// Always `success`: a failure is an error, not an answer.
    pub status: String,
    /// The text as it came.
    pub original_text: String,
    /// Words and the punctuation `.,!?-`, single-spaced.
    pub cleaned_text: String,
    /// Pieces of the cleaned text between white space.
    pub word_count: usize,
    /// Pieces of the cleaned text between runs of `.!?` that are not blank.
    pub sentence_count: usize,
    /// Characters of the cleaned text.
    pub char_count: usize,
    /// When the answer was made.
    pub timestamp: Timestamp,
    /// The stage that answered.
    pub worker_type: String,
}

/// Stage one: checks and cleans a text.
///
/// # Errors
/// [`TextError`] when the text is blank, too short, too long, or has no words.
#[remote(resource = CPU_PREPROCESS)]
pub async fn preprocess_text(text: String) -> Result<Preprocessed, TextError> {
    let clean = clean(&text)?;
    Ok(Preprocessed {
        status: "success".to_owned(),
        original_text: text,
        cleaned_text: clean.cleaned_text,
        word_count: clean.word_count,
        sentence_count: clean.sentence_count,
        char_count: clean.char_count,
        timestamp: Timestamp::now(),
        worker_type: "CPU Preprocessing".to_owned(),
    })
}

/// What the stages before the last one found out, passed on to the caller.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Metadata {
    /// Words of the cleaned text.
    pub word_count: usize,
    /// Sentences of the cleaned text.
    pub sentence_count: usize,
    /// The model and its weights, such as `sentiment 347ecdb44b97`.
    pub model: String,
}

/// What [`postprocess_results`](fn@postprocess_results) answers, and the whole pipeline too.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Graded {
    /// Always `success`: a failure is an error, not an answer.
    pub status: String,
    /// First 100 characters of the original text.
    pub text_preview: String,
    /// The verdict.
    pub classification: Classification,
    /// Every label and its confidence, in the order positive, neutral, negative.
    pub all_predictions: Vec<Prediction>,
    /// From the stages before.
    pub metadata: Metadata,
    /// How the text came here.
    pub processing_pipeline: Pipeline,
    /// The stage that answered.
    pub worker_type: String,
}

/// The way of a text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pipeline {
    /// The stages in order.
    pub steps: Vec<String>,
    /// When the last one was done.
    pub completed_at: Timestamp,
}

/// Stage three: picks the most likely label and says how far to trust it.
///
/// # Errors
/// [`PostprocessError`] when there are no predictions or a confidence is not from 0 to 1.
#[remote(resource = CPU_POSTPROCESS)]
pub async fn postprocess_results(
    predictions: Vec<Prediction>,
    original_text: String,
    #[remote(default)] metadata: Metadata,
) -> Result<Graded, PostprocessError> {
    let steps = ["CPU preprocessing", "GPU inference", "CPU postprocessing"];
    Ok(Graded {
        status: "success".to_owned(),
        text_preview: preview(&original_text),
        classification: grade(&predictions)?,
        all_predictions: predictions,
        metadata,
        processing_pipeline: Pipeline {
            steps: steps.map(str::to_owned).to_vec(),
            completed_at: Timestamp::now(),
        },
        worker_type: "CPU Postprocessing".to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Label;

    #[tokio::test]
    async fn preprocessing_counts_what_it_kept() {
        let answer = preprocess_text(" So   good! ".to_owned()).await.unwrap();
        assert_eq!(
            (answer.original_text.as_str(), answer.cleaned_text.as_str()),
            (" So   good! ", "So good!")
        );
        assert_eq!((answer.word_count, answer.sentence_count, answer.char_count), (2, 1, 8));
        assert_eq!(preprocess_text(" ".to_owned()).await.unwrap_err(), TextError::Blank);
    }

    #[tokio::test]
    async fn postprocessing_grades_and_passes_on() {
        let predictions = vec![Prediction { label: Label::Negative, confidence: 0.9 }];
        let metadata = Metadata { word_count: 2, ..Metadata::default() };
        let answer =
            postprocess_results(predictions.clone(), "x".repeat(200), metadata.clone()).await.unwrap();
        assert_eq!(answer.classification.label, Label::Negative);
        assert_eq!(answer.text_preview.len(), 103);
        assert_eq!((answer.all_predictions, answer.metadata), (predictions, metadata));
    }

    #[test]
    fn an_answer_has_the_documented_fields() {
        let json = serde_json::json!({
            "status": "success",
            "text_preview": "I love it!",
            "classification": { "label": "positive", "confidence": 0.9, "confidence_level": "high" },
            "all_predictions": [{ "label": "positive", "confidence": 0.9 }],
            "metadata": { "word_count": 3, "sentence_count": 1, "model": "sentiment" },
            "processing_pipeline": { "steps": ["CPU preprocessing"], "completed_at": "2026-01-02T03:04:05Z" },
            "worker_type": "CPU Postprocessing",
        });
        let answer: Graded = serde_json::from_value(json.clone()).unwrap();
        assert_eq!(serde_json::to_value(answer).unwrap(), json);
    }
}
