// mistakes: 1
use flash::{Endpoint, remote};

static GPU: Endpoint = Endpoint::queue("gpu");

struct TooLong;

#[remote(resource = GPU)]
async fn one(x: u32) -> Result<u32, TooLong> {
    Ok(x)
}

async fn caller() -> bool {
    matches!(one::remote(1).await, Err(flash::CallError::Remote(TooLong)))
}

fn main() {}
