// mistakes: 5
use flash::{Endpoint, Error, remote};
use serde::{Deserialize, Serialize};

static CPU: Endpoint = Endpoint::queue("cpu");
static API: Endpoint = Endpoint::http("api");

#[derive(Serialize, Deserialize)]
pub struct Order {}

#[remote(resource = CPU)]
async fn two(#[remote(body)] a: Order, #[remote(body)] b: Order) -> Result<(), Error> {
    let _ = (a, b);
    Ok(())
}

#[remote(resource = CPU)]
async fn renamed(#[remote(body, rename = "x")] order: Order) -> Result<(), Error> {
    drop(order);
    Ok(())
}

#[remote(resource = CPU)]
async fn defaulted(#[remote(body, default = Order {})] order: Order) -> Result<(), Error> {
    drop(order);
    Ok(())
}

#[remote(resource = API, method = "GET", path = "/orders")]
async fn get(#[remote(body)] order: Order) -> Result<(), Error> {
    drop(order);
    Ok(())
}

#[remote(resource = API, method = "PUT", path = "/{order}")]
async fn put(#[remote(body)] order: Order) -> Result<(), Error> {
    drop(order);
    Ok(())
}

fn main() {}
