// mistakes: 1
use flash::{Endpoint, Error, remote};

static GPU: Endpoint = Endpoint::queue("gpu");

#[remote(resource = GPU)]
async fn name() -> Result<&'static str, Error> {
    Ok("name")
}

fn main() {}
