// mistakes: 1
use flash::{Endpoint, Error, remote};

static API: Endpoint = Endpoint::http("api");

#[remote(resource = API, method = "GET", path = "/items/{item_id}")]
async fn item(id: u64) -> Result<u64, Error> {
    Ok(id)
}

fn main() {}
