//! The peer of the HTTP benchmark: what somebody writes who uses axum without us.

use axum::extract::DefaultBodyLimit;
use axum::routing::{get, post};
use axum::{Json, Router};
use flash_benches::args::Args;
use flash_benches::echo::{Echo, Floats, Text};

async fn echo(Json(body): Json<Echo>) -> Json<Echo> {
    Json(body)
}

async fn text(Json(body): Json<Text>) -> Json<Text> {
    Json(body)
}

async fn floats(Json(body): Json<Floats>) -> Json<Floats> {
    Json(body)
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let port: u16 = Args::of_process().required("port")?;
    // Its own limit of 2 MB would refuse the large bodies.
    let large = Router::new()
        .route("/text", post(text))
        .route("/floats", post(floats))
        .layer(DefaultBodyLimit::disable());
    let app = Router::new().route("/echo", post(echo)).route("/ping", get(async || "pong")).merge(large);
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", port)).await?;
    axum::serve(listener, app).await?;
    Ok(())
}
