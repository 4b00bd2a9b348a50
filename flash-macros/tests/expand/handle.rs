#[remote(resource = GPU, handle = EmbedFn)]
#[deprecated(note = "use `embed_all`")]
#[doc(hidden)]
#[cfg(feature = "embed")]
#[allow(non_snake_case)]
#[tracing::instrument(skip_all)]
pub async fn embed(inputText: String) -> Result<Vec<f32>, flash::Error> {
    vector(inputText)
}
