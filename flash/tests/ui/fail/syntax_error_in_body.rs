// mistakes: 1
use flash::{Endpoint, Error, remote};

static GPU: Endpoint = Endpoint::queue("gpu");

// What the compiler says of the body is all there is to say.
#[remote(resource = GPU)]
async fn one(text: String) -> Result<usize, Error> {
    let same = text.;
    Ok(same.len())
}

async fn caller() -> Result<usize, Error> {
    Ok(one::remote(String::new()).await?)
}

fn main() {}
