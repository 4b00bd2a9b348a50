// mistakes: 1
use flash::{Endpoint, remote};

static GPU: Endpoint = Endpoint::queue("gpu");

struct Counter(u32);

trait Work {
    fn work(&self) -> u32;
}

#[remote(resource = GPU)]
impl Work for Counter {
    fn work(&self) -> u32 {
        self.0
    }
}

fn main() {
    let _ = Counter(1).work();
}
