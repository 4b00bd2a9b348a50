// mistakes: 7
use flash::{Endpoint, Error, remote};

static GPU: Endpoint = Endpoint::queue("gpu");

// One run shows them all, and the caller below has no further ones.
#[remote(resorce = GPU, method = "GETT", path = "items")]
async unsafe fn items(query: &str, (from, to): (u32, u32), limit: impl Into<u32>) -> Result<Vec<u32>, Error> {
    Ok((from..to).take(limit.into() as usize + query.len()).collect())
}

async fn caller() -> Result<usize, Error> {
    Ok(items::remote("q", (1, 2), 3_u32).await?.len())
}

fn main() {}
