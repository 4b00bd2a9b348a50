#[remote(resource = CPU)]
fn resize(bytes: Vec<u8>, mut width: u32) -> Result<Vec<u8>, ResizeError> {
    width = width.max(1);
    scale(bytes, width)
}
