// mistakes: 1
use flash::{Endpoint, Error, remote};

static GPU: Endpoint = Endpoint::queue("gpu");

#[remote(resource = GPU)]
async fn one(#[remote(default)] context: flash::Context) -> Result<u32, Error> {
    Ok(context.attempt())
}

fn main() {}
