#[remote]
pub async fn generic<T: Send>(value: T) -> Result<T, flash::Error> {
    Ok(value)
}
