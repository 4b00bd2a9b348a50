// mistakes: 1
use flash::{Endpoint, Error, remote};

static GPU: Endpoint = Endpoint::queue("gpu");

#[remote(resource = GPU)]
async fn length<'a>(text: &'a str) -> Result<usize, Error> {
    Ok(text.len())
}

fn main() {}
