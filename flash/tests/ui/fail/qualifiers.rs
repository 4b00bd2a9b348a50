// mistakes: 4
use flash::{Endpoint, Error, remote};

static GPU: Endpoint = Endpoint::queue("gpu");

#[remote(resource = GPU)]
const fn constant() -> Result<u32, Error> {
    Ok(1)
}

#[remote(resource = GPU)]
unsafe fn dangerous() -> Result<u32, Error> {
    Ok(1)
}

#[remote(resource = GPU)]
extern "C" fn foreign() -> Result<u32, Error> {
    Ok(1)
}

#[remote(resource = GPU)]
async fn bounded() -> Result<u32, Error>
where
    u32: Copy,
{
    Ok(1)
}

fn main() {}
