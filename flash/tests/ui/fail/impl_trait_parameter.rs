// mistakes: 1
use flash::{Endpoint, Error, remote};

static GPU: Endpoint = Endpoint::queue("gpu");

#[remote(resource = GPU)]
async fn one(text: impl Into<String>) -> Result<String, Error> {
    Ok(text.into())
}

fn main() {}
