// mistakes: 1
use flash::{Endpoint, remote};

static GPU: Endpoint = Endpoint::queue("gpu");

#[remote(resource = GPU)]
async fn one() {}

fn main() {}
