#[remote(resource = GPU)]
pub async fn r#match(r#type: String, r#in: Option<r#async::Kind>) -> Result<bool, flash::Error> {
    r#match::remote(r#type, r#in).await
}
