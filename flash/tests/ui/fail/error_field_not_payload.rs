// mistakes: 1
use flash::RemoteError;


#[derive(Debug, thiserror::Error, RemoteError)]
enum ReadError {
    #[error("cannot read {0}")]
    Io(std::io::Error),
}

fn main() {}
