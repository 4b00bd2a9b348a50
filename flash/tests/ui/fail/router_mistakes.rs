// mistakes: 6

use flash::prelude::*;

static QUEUE: Endpoint = Endpoint::queue("queue");
static API: Endpoint = Endpoint::http("api");

#[flash::router(resource = QUEUE)]
fn on_a_queue() -> flash::axum::Router {
    flash::axum::Router::new()
}

#[flash::router(resource = API)]
async fn not_plain() -> flash::axum::Router {
    flash::axum::Router::new()
}

#[flash::router(resource = API)]
fn with_a_parameter(_path: String) -> flash::axum::Router {
    flash::axum::Router::new()
}

#[flash::router(resource = API)]
fn without_a_type() {}

#[flash::router(resource = API)]
fn of_a_wrong_type() -> String {
    String::new()
}

#[flash::router(resource = API, method = "GET")]
fn of_one_verb() -> flash::axum::Router {
    flash::axum::Router::new()
}

fn main() {}
