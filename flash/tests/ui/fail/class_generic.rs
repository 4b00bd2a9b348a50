// mistakes: 1
use flash::{Endpoint, Error, remote};

static GPU: Endpoint = Endpoint::queue("gpu");

struct Counter<T>(T);

#[remote(resource = GPU)]
impl<T> Counter<T> {
    #[remote]
    async fn get(&self) -> Result<u32, Error> {
        Ok(1)
    }
}

fn main() {
    drop(Counter(1).get());
}
