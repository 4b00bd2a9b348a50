// mistakes: 1
use flash::{Endpoint, Error, Stream, remote};

static CPU: Endpoint = Endpoint::queue("cpu");

#[remote(resource = CPU)]
async fn generate(prompt: String) -> Result<Stream<String, String>, Error> {
    Ok(Stream::iter([Ok(prompt)]))
}

fn main() {}
