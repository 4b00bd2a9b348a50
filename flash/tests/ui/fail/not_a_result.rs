// mistakes: 1
use flash::{Endpoint, remote};

static GPU: Endpoint = Endpoint::queue("gpu");

#[remote(resource = GPU)]
async fn one(x: u32) -> Option<u32> {
    Some(x)
}

fn main() {}
