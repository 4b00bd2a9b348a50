// mistakes: 1
use flash::{CallError, RemoteError};


#[derive(Debug, thiserror::Error, RemoteError)]
#[error("callee")]
struct CalleeError;

#[derive(Debug, thiserror::Error, RemoteError)]
enum ApiError {
    #[error("upstream")]
    #[remote(call)]
    Upstream(#[from] CallError<CalleeError>),
}

fn main() {}
