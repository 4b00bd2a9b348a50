// mistakes: 2
use flash::{Endpoint, Error, remote};

static API: Endpoint = Endpoint::http("api");

#[remote(resource = API, method = "POST")]
async fn classify() -> Result<u32, Error> {
    Ok(1)
}

#[remote(resource = API, path = "/embed")]
async fn embed() -> Result<u32, Error> {
    Ok(1)
}

fn main() {}
