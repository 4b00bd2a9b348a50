#[remote(resource = GPU)]
pub async fn tick() -> Result<(), flash::Error> {
    Ok(())
}
