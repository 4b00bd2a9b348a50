// mistakes: 5
use flash::RemoteError;


#[derive(Debug, thiserror::Error, RemoteError)]
enum ReadError {
    #[error("empty")]
    #[remote(code = "Empty Text")]
    Empty,
    #[error("too long")]
    #[remote(status = 200)]
    TooLong,
    #[error("busy")]
    #[remote(retryable, terminal)]
    Busy,
    #[error("gone")]
    #[remote(code = "busy")]
    Gone,
    #[error("upstream")]
    #[remote(call)]
    Upstream,
}

fn main() {}
