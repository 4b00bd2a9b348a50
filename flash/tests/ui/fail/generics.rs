// mistakes: 1
use flash::{Endpoint, Error, remote};

static GPU: Endpoint = Endpoint::queue("gpu");

#[remote(resource = GPU)]
async fn sort<T: Ord>(items: Vec<T>) -> Result<u32, Error> {
    Ok(items.len() as u32)
}

fn main() {}
