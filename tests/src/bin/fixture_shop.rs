//! A small app for what is done to whole deployments, many times: a queue, and routes that call it.

use flash::prelude::*;

static WORDS: Endpoint =
    Endpoint::queue("words").cpu(&["cpu3c-2-4"]).container_disk_gb(10).secret("SHOP_TOKEN");
static SHOP: Endpoint = Endpoint::http("shop").cpu(&["cpu3c-2-4"]).workers(1, 2);

/// Counts words.
#[remote(resource = WORDS)]
async fn count(text: String) -> Result<usize, flash::Error> {
    Ok(text.split_whitespace().count())
}

/// Counts words elsewhere.
#[remote(resource = SHOP, method = "POST", path = "/count")]
async fn count_elsewhere(text: String) -> Result<usize, flash::Error> {
    Ok(count::remote(text).await?)
}

/// What is in stock: an asset, so another one is another artifact.
#[remote(resource = SHOP, method = "GET", path = "/stock")]
async fn stock() -> Result<String, flash::Error> {
    std::fs::read_to_string("data/stock.txt").map_err(flash::Error::internal)
}

/// Which variables this process has.
#[remote(resource = SHOP, method = "GET", path = "/variables")]
async fn variables() -> Result<Vec<String>, flash::Error> {
    Ok(std::env::vars().map(|(name, _)| name).collect())
}

fn main() -> std::process::ExitCode {
    flash::run()
}
