// mistakes: 1
use flash::{Endpoint, Error, Stream, remote};

static CPU: Endpoint = Endpoint::queue("cpu");

pub struct Token(String);

#[remote(resource = CPU)]
async fn generate(prompt: String) -> Result<Stream<Token, Error>, Error> {
    Ok(Stream::iter([Ok(Token(prompt))]))
}

fn main() {}
