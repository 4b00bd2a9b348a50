// mistakes: 1
use flash::{Endpoint, Error, remote};

static GPU: Endpoint = Endpoint::queue("gpu");

#[remote(resource = GPU)]
async fn one(#[cfg(unix)] text: String) -> Result<u32, Error> {
    Ok(text.len() as u32)
}

fn main() {}
