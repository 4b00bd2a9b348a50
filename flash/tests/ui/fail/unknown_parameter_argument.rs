// mistakes: 1
use flash::{Endpoint, Error, remote};

static GPU: Endpoint = Endpoint::queue("gpu");

#[remote(resource = GPU)]
async fn one(#[remote(defualt = 3)] top: u32) -> Result<u32, Error> {
    Ok(top)
}

fn main() {}
