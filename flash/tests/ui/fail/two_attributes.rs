// mistakes: 1
use flash::{Endpoint, Error, remote};

static GPU: Endpoint = Endpoint::queue("gpu");

#[remote(resource = GPU)]
#[remote(name = "two")]
async fn one() -> Result<u32, Error> {
    Ok(1)
}

fn main() {}
