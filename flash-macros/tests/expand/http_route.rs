#[remote(resource = endpoints::API, method = "PATCH", path = "/items/{id}/notes", status = 202, name = "add-note")]
pub(crate) async fn add_note(
    id: u64,
    #[remote(rename = "type")] kind: Kind,
    #[remote(default)] tags: Vec<String>,
    draft: Option<bool>,
) -> Result<Note, flash::Error> {
    store(id, kind, tags, draft).await
}
