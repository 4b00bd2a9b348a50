// mistakes: 1
use flash::{Endpoint, Error, remote};

static GPU: Endpoint = Endpoint::queue("gpu");

struct Counter(u32);

#[remote(resource = GPU)]
impl Counter {
    #[remote]
    async fn add(&self, by: u32) -> Result<u32, Error> {
        Ok(self.0 + by)
    }
}

fn main() {}
