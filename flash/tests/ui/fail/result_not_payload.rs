// mistakes: 1
use flash::{Endpoint, Error, remote};

static GPU: Endpoint = Endpoint::queue("gpu");

struct Image;

#[remote(resource = GPU)]
async fn draw(text: String) -> Result<Image, Error> {
    let _ = text;
    Ok(Image)
}

async fn caller() -> Result<Image, Error> {
    Ok(draw::remote(String::new()).await?)
}

fn main() {}
