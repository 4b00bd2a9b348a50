//! A program in its local role: `cargo run`, and nothing around it.

use std::path::Path;

use axum::routing::post;
use axum::{Json, Router};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::mpsc;

use crate::processes::{self, Local};

/// Nobody asks for the job, as somebody who has a webhook does not: it runs all the same, and its end is told.
#[tokio::test]
async fn a_job_runs_without_anyone_asking_for_it_and_its_webhook_is_called() {
    let (sender, mut told) = mpsc::unbounded_channel::<Value>();
    let receiver = Router::new().route(
        "/told",
        post(async move |Json(body): Json<Value>| {
            sender.send(body).unwrap();
        }),
    );
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let webhook = format!("http://{}/told", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, receiver).await });

    let local = Local::start(Path::new(env!("CARGO_BIN_EXE_fixture-app")));
    let url = format!("{}/mixed/run", local.url);
    let mut ends = Vec::new();
    for input in [json!({"method": "check", "text": "abc"}), json!({"method": "check", "text": ""})] {
        let (status, job) = processes::post(&url, &json!({"input": input, "webhook": webhook})).await;
        assert_eq!((status, &job["status"]), (200, &json!("IN_QUEUE")), "{job}");
        let end = told.recv().await.unwrap();
        assert_eq!(end["id"], job["id"]);
        ends.push(end);
    }
    assert_eq!((&ends[0]["status"], &ends[0]["output"]), (&json!("COMPLETED"), &json!(3)));
    assert_eq!(ends[1]["status"], "FAILED", "{}", ends[1]);
}
