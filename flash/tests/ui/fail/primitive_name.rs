// mistakes: 1
use flash::{Endpoint, Error, remote};

static GPU: Endpoint = Endpoint::queue("gpu");

#[remote(resource = GPU)]
async fn f32(values: Vec<f32>) -> Result<f32, Error> {
    Ok(values[0])
}

fn main() {}
