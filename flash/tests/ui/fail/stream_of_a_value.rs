// mistakes: 1
use flash::{Endpoint, Error, remote};

static CPU: Endpoint = Endpoint::queue("cpu");

#[remote(resource = CPU)]
async fn length(text: String) -> Result<usize, Error> {
    Ok(text.len())
}

fn main() {
    let _ = length::remote("a".into()).stream();
}
