#[remote(resource = CPU, inline)]
pub fn version() -> Result<String, Infallible> {
    Ok(String::from("1"))
}
