// mistakes: 1
use flash::{Endpoint, Error, remote};

static GPU: Endpoint = Endpoint::queue("gpu");

struct Counter(u32);

#[remote(resource = GPU)]
impl Counter {
    #[remote(init)]
    async fn new(start: std::thread::ThreadId) -> Result<Self, Error> {
        Ok({ let _ = start; Self(0) })
    }

    #[remote]
    async fn add(&self, by: u32) -> Result<u32, Error> {
        Ok(self.0 + by)
    }
}

async fn caller() -> Result<u32, Error> {
    Ok(Counter::remote(std::thread::current().id()).add(1).await?)
}

fn main() {
    drop(caller());
}
