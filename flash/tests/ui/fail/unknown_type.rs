// mistakes: 1
use flash::{Endpoint, Error, remote};

static GPU: Endpoint = Endpoint::queue("gpu");

#[remote(resource = GPU)]
async fn one(x: Imagee) -> Result<u32, Error> {
    let _ = x;
    Ok(1)
}

fn main() {}
