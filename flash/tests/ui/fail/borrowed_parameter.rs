// mistakes: 1
use flash::{Endpoint, Error, remote};

static GPU: Endpoint = Endpoint::queue("gpu");

#[remote(resource = GPU)]
async fn length(text: &str) -> Result<usize, Error> {
    Ok(text.len())
}

// The callers of a function with a mistake have none.
async fn caller() -> Result<usize, Error> {
    Ok(length::remote("text").await?)
}

fn main() {}
