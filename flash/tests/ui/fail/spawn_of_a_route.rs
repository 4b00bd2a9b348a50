// mistakes: 1
use flash::{Endpoint, Error, remote};

static API: Endpoint = Endpoint::http("api");

#[remote(resource = API, method = "POST", path = "/one")]
async fn one() -> Result<u32, Error> {
    Ok(1)
}

fn submit() {
    drop(one::remote().spawn());
}

fn main() {}
