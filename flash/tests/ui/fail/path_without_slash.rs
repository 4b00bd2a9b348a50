// mistakes: 1
use flash::{Endpoint, Error, remote};

static API: Endpoint = Endpoint::http("api");

#[remote(resource = API, method = "POST", path = "classify")]
async fn classify() -> Result<u32, Error> {
    Ok(1)
}

fn main() {}
