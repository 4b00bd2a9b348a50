use flash::prelude::*;

use crate::{
    cpu_worker::{Graded, Metadata, postprocess_results, preprocess_text},
    gpu_worker::{InferenceError, gpu_inference},
    postprocess::PostprocessError,
    text::TextError,
};

/// The door for people: one request, three stages.
pub static CLASSIFY_PIPELINE: Endpoint =
    Endpoint::http("01_03_classify_pipeline").cpu(&["cpu3c-1-2"]).workers(1, 3);

/// Why a text was not classified: the text itself, or the stage that failed.
#[derive(Debug, thiserror::Error, RemoteError)]
pub enum ClassifyError {
    /// The caller can mend this, so it travels on in full.
    #[error(transparent)]
    #[remote(code = "invalid_text", status = 422, terminal)]
    Text(TextError),
    /// Stage one gave no answer.
    #[error("the preprocessing stage failed")]
    #[remote(call, code = "preprocess_failed", status = 502)]
    Preprocess(#[source] CallError<TextError>),
    /// Stage two gave no answer.
    #[error("the inference stage failed")]
    #[remote(call, code = "inference_failed", status = 502)]
    Inference(#[source] CallError<InferenceError>),
    /// Stage three gave no answer.
    #[error("the postprocessing stage failed")]
    #[remote(call, code = "postprocess_failed", status = 502)]
    Postprocess(#[source] CallError<PostprocessError>),
}

/// Classifies a text: positive, neutral or negative.
///
/// # Errors
/// [`ClassifyError`], which names the stage that failed.
#[remote(resource = CLASSIFY_PIPELINE, method = "POST", path = "/classify")]
pub async fn classify(text: String) -> Result<Graded, ClassifyError> {
    let clean = preprocess_text::remote(text).await.map_err(|error| match error {
        CallError::Remote(error) => ClassifyError::Text(error),
        error => error.into(),
    })?;
    let inference = gpu_inference::remote(clean.cleaned_text, clean.word_count).await?;
    let metadata = Metadata {
        word_count: clean.word_count,
        sentence_count: clean.sentence_count,
        model: format!("{} {}", inference.model_info.model_type, inference.model_info.weights),
    };
    Ok(postprocess_results::remote(inference.predictions, clean.original_text, metadata).await?)
}

#[cfg(test)]
mod tests {
    use flash::testing::Mock;

    use super::*;
    use crate::{
        model::{Classifier, Label},
        postprocess::ConfidenceLevel,
    };

    #[tokio::test]
    async fn a_text_goes_through_all_stages() {
        let answer = classify("  This   product is amazing! I love it!".to_owned()).await.unwrap();
        assert_eq!(answer.classification.label, Label::Positive);
        assert_eq!(answer.classification.confidence_level, ConfidenceLevel::High);
        assert_eq!(answer.all_predictions.iter().map(|p| p.label).collect::<Vec<_>>(), Label::ALL);
        assert_eq!((answer.metadata.word_count, answer.metadata.sentence_count), (7, 2));
        assert_eq!(answer.metadata.model, format!("sentiment {}", Classifier::committed().info().weights));
        assert_eq!(answer.text_preview, "  This   product is amazing! I love it!");
        assert_eq!(answer.processing_pipeline.steps.len(), 3);
    }

    #[tokio::test]
    async fn an_unusable_text_is_the_callers_to_mend() {
        let error = classify("ok".to_owned()).await.unwrap_err();
        assert!(matches!(error, ClassifyError::Text(TextError::TooShort { chars: 2 })), "{error:?}");
        let wire = error.to_wire();
        assert_eq!((&*wire.code, wire.http_status()), ("invalid_text", 422));
        assert_eq!(wire.message, "the text has 2 characters, fewer than 3");
    }

    #[tokio::test]
    async fn a_failing_stage_is_named() {
        let text = || "a perfectly good text".to_owned();

        let broken = Mock::new().on::<gpu_inference>(|_| Err(InferenceError::BlankText));
        let error = broken.run(classify(text())).await.unwrap_err();
        assert!(
            matches!(error, ClassifyError::Inference(CallError::Remote(InferenceError::BlankText))),
            "{error:?}"
        );
        let wire = error.to_wire();
        assert_eq!((&*wire.code, wire.http_status()), ("inference_failed", 502));
        assert_eq!(wire.data, Some(serde_json::json!({ "code": "blank_text" })));

        let broken = Mock::new().on::<postprocess_results>(|_| Err(PostprocessError::NoPredictions));
        let error = broken.run(classify(text())).await.unwrap_err();
        assert_eq!(&*error.to_wire().code, "postprocess_failed");
    }
}
