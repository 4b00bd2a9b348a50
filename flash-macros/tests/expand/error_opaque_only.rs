#[derive(Debug, thiserror::Error, RemoteError)]
pub enum StartError {
    #[error("{0}")]
    #[remote(opaque)]
    Io(std::io::Error),
}
