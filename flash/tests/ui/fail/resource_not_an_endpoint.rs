// mistakes: 1
use flash::{Error, remote};


static NAME: &str = "gpu";

#[remote(resource = NAME)]
async fn one() -> Result<u32, Error> {
    Ok(1)
}

fn main() {}
