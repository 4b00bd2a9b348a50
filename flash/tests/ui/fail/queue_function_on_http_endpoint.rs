// mistakes: 1
use flash::{Endpoint, Error, remote};

static API: Endpoint = Endpoint::http("api");

#[remote(resource = API)]
async fn one() -> Result<u32, Error> {
    Ok(1)
}

fn main() {}
