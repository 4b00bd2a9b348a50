#[remote(resource = GPU, timout = 3)]
pub async fn broken(text: &str, (a, b): (u8, u8), count: usize, model: State<Model>) -> Result<u32, flash::Error> {
    Ok(count)
}
