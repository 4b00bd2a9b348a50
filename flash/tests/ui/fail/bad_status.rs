// mistakes: 2
use flash::{Endpoint, Error, remote};

static GPU: Endpoint = Endpoint::queue("gpu");
static API: Endpoint = Endpoint::http("api");

#[remote(resource = API, method = "POST", path = "/a", status = 404)]
async fn failure() -> Result<u32, Error> {
    Ok(1)
}

#[remote(resource = GPU, status = 201)]
async fn job() -> Result<u32, Error> {
    Ok(1)
}

fn main() {}
