// mistakes: 1
use flash::{Endpoint, Error, remote};

static GPU: Endpoint = Endpoint::queue("gpu");

struct Counter(u32);

impl Counter {
    #[remote(resource = GPU)]
    async fn add(&self, by: u32) -> Result<u32, Error> {
        Ok(self.0 + by)
    }
}

fn direct(counter: &Counter) {
    drop(counter.add(1));
}

fn main() {}
