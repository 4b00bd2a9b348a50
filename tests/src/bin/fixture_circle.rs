//! A program whose endpoints call each other in circles, twice.

use flash::prelude::*;

static EGG: Endpoint = Endpoint::queue("egg");
static HEN: Endpoint = Endpoint::queue("hen");
static LEFT: Endpoint = Endpoint::queue("left");
static RIGHT: Endpoint = Endpoint::queue("right");

#[remote(resource = EGG)]
async fn hatch() -> Result<(), flash::Error> {
    Ok(lay::remote().await?)
}

#[remote(resource = HEN)]
async fn lay() -> Result<(), flash::Error> {
    Ok(hatch::remote().await?)
}

#[remote(resource = LEFT)]
async fn go_right() -> Result<(), flash::Error> {
    Ok(go_left::remote().await?)
}

#[remote(resource = RIGHT)]
async fn go_left() -> Result<(), flash::Error> {
    Ok(go_right::remote().await?)
}

fn main() -> std::process::ExitCode {
    flash::run()
}
