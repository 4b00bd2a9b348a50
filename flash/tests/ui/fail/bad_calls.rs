// mistakes: 2
use flash::{Endpoint, Error, remote};

static GPU: Endpoint = Endpoint::queue("gpu");

#[remote(resource = GPU, calls = embed)]
async fn one() -> Result<u32, Error> {
    Ok(1)
}

#[remote(resource = GPU, calls("one"))]
async fn two() -> Result<u32, Error> {
    Ok(1)
}

fn main() {}
