// mistakes: 1
use flash::{Endpoint, Error, remote};

static GPU: Endpoint = Endpoint::queue("gpu");

use std::rc::Rc;

async fn tick() {}

#[remote(resource = GPU)]
async fn one(x: u32) -> Result<u32, Error> {
    let shared = Rc::new(x);
    tick().await;
    Ok(*shared)
}

fn main() {}
