// mistakes: 1
use flash::RemoteError;


#[derive(Debug, RemoteError)]
enum ReadError {
    Empty,
    TooLong { max: usize },
}

fn main() {}
