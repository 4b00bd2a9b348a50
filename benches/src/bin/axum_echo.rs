//! The peer of the HTTP benchmark: what somebody writes who uses axum without us.

use axum::routing::{get, post};
use axum::{Json, Router};
use flash_benches::args::Args;
use flash_benches::echo::Echo;

async fn echo(Json(body): Json<Echo>) -> Json<Echo> {
    Json(body)
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let port: u16 = Args::of_process().required("port")?;
    let app = Router::new().route("/echo", post(echo)).route("/ping", get(async || "pong"));
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", port)).await?;
    axum::serve(listener, app).await?;
    Ok(())
}
