// mistakes: 1
use flash::{Endpoint, Error, remote};

static GPU: Endpoint = Endpoint::queue("gpu");

struct Plain;

#[remote(resource = GPU, calls(Plain))]
async fn one() -> Result<u32, Error> {
    Ok(1)
}

fn main() {}
