// mistakes: 2
use flash::{Endpoint, Error, remote};

static GPU: Endpoint = Endpoint::queue("gpu");

#[remote(resource = GPU)]
async fn one(__empty: bool, #[remote(rename = "__flash")] trace: String) -> Result<u32, Error> {
    let _ = (__empty, trace);
    Ok(1)
}

fn main() {}
