// mistakes: 1
use flash::{Endpoint, Error, remote};

static GPU: Endpoint = Endpoint::queue("gpu");

struct Counter(u32);

#[remote(resource = GPU)]
impl Counter {
    #[remote(init)]
    async fn new(#[remote(default = 3)] start: u32) -> Result<Self, Error> {
        Ok(Self(start))
    }
}

fn direct() {
    drop(Counter::new(1));
}

fn main() {}
