// mistakes: 1
use flash::RemoteError;

#[derive(Debug, thiserror::Error, RemoteError)]
enum ModelError {
    #[error("the model took too long")]
    Timeout,
}

fn main() {
    let _ = ModelError::Timeout;
}
