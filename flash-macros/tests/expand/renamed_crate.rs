#[remote(resource = GPU, crate = ::renamed::sdk)]
pub async fn embed(text: String, #[remote(default)] top: usize) -> Result<u32, Error> {
    Ok(top)
}
