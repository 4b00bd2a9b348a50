// mistakes: 2
use flash::{Endpoint, Error, remote};

static API: Endpoint = Endpoint::http("api");

#[remote(resource = API, method = "GET", path = "/ping")]
async fn ping() -> Result<u32, Error> {
    Ok(1)
}

#[remote(resource = API, method = "POST", path = "/execute")]
async fn execute() -> Result<u32, Error> {
    Ok(1)
}

fn main() {}
