/// Finds the labels of a text.
///
/// The second paragraph stays in the documentation.
#[remote(resource = GPU)]
pub async fn classify(
    text: String,
    #[remote(default = 3)] top: usize,
    model: State<Model>,
) -> Result<Vec<Label>, ClassifyError> {
    model.classify(&text, top).await
}
