// mistakes: 1
use flash::{Endpoint, Error, remote};

static GPU: Endpoint = Endpoint::queue("gpu");

#[derive(serde::Serialize, serde::Deserialize)]
struct Answer;

#[remote(resource = GPU)]
pub async fn one(x: u32) -> Result<Answer, Error> {
    let _ = x;
    Ok(Answer)
}

fn main() {}
