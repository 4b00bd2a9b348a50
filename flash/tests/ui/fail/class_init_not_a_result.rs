// mistakes: 1
use flash::{Endpoint, Error, remote};

static GPU: Endpoint = Endpoint::queue("gpu");

struct Counter(u32);

#[remote(resource = GPU)]
impl Counter {
    #[remote(init)]
    async fn new(#[remote(default = 3)] start: u32) -> Option<Self> {
        Some(Self(start))
    }

    #[remote]
    async fn add(&self, by: u32) -> Result<u32, Error> {
        Ok(self.0 + by)
    }
}

async fn caller() -> Result<u32, Error> {
    Ok(Counter::remote(1).add(1).await?)
}

fn main() {
    drop(caller());
}
