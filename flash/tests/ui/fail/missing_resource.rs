// mistakes: 1
use flash::{Error, remote};


#[remote]
async fn one() -> Result<u32, Error> {
    Ok(1)
}

fn main() {}
