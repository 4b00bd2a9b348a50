// mistakes: 1
use flash::{Endpoint, Error, State, remote};

static GPU: Endpoint = Endpoint::queue("gpu");

struct Model;

#[remote(resource = GPU)]
async fn one(x: u32, model: State<Model>) -> Result<u32, Error> {
    let _ = model;
    Ok(x)
}

fn main() {}
