// mistakes: 2
use flash::{Endpoint, Error, remote};

static API: Endpoint = Endpoint::http("api");

#[remote(resource = API, method = "post", path = "/a")]
async fn lower_case() -> Result<u32, Error> {
    Ok(1)
}

#[remote(resource = API, method = "OPTIONS", path = "/b")]
async fn unsupported() -> Result<u32, Error> {
    Ok(1)
}

fn main() {}
