// mistakes: 1
use flash::{Endpoint, Error, remote};

static GPU: Endpoint = Endpoint::queue("gpu");

struct Image;

#[remote(resource = GPU)]
async fn classify(top: u32, image: Vec<Image>) -> Result<u32, Error> {
    Ok(top + image.len() as u32)
}

fn main() {}
