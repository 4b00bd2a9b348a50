// mistakes: 1
use flash::{Endpoint, Error, remote};

static GPU: Endpoint = Endpoint::queue("gpu");

#[remote(resource = GPU)]
async fn add((a, b): (u32, u32)) -> Result<u32, Error> {
    Ok(a + b)
}

fn main() {}
