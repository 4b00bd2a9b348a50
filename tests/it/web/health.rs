//! The health of a worker on a port of its own.

use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;

use flash_core::boot::Boot;
use flash_core::{App, Registry};
use flash_tests::web::WEB;
use flash_worker::Shutdown;
use flash_worker::http::{HttpError, HttpWorker};
use serde_json::json;

use super::client::{Answer, Connection, request};

/// A worker whose health has another port than its routes, and that port.
async fn start() -> (HttpWorker, u16) {
    loop {
        // Free just now; somebody else may be faster.
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let mut boot = Boot::default();
        boot.host = Some([127, 0, 0, 1].into());
        boot.port = Some(0);
        boot.port_health = Some(port);
        let app = App::of(Arc::new(Registry::linked().unwrap()));
        match HttpWorker::bind(app, &WEB, boot).await {
            Ok(worker) => return (worker, port),
            Err(HttpError::Bind { .. }) => {}
            Err(error) => panic!("{error}"),
        }
    }
}

async fn get(address: SocketAddr, path: &str) -> Answer {
    let mut connection = Connection::to(address).await;
    connection.send(&request("GET", path, "", b"")).await;
    connection.answer().await
}

#[tokio::test]
async fn health_and_routes_have_their_own_ports() {
    let (worker, port) = start().await;
    let (routes, health) = (worker.address().unwrap(), SocketAddr::from(([127, 0, 0, 1], port)));
    let shutdown = Shutdown::new();
    let running = tokio::spawn(worker.run(shutdown.clone()));
    let until = async |word: &str| loop {
        let answer = get(health, "/ping").await;
        if answer.json()["status"] == word {
            return answer.status;
        }
        tokio::task::yield_now().await;
    };
    assert_eq!(until("healthy").await, 200);
    assert_eq!(get(routes, "/caller").await.status, 200);
    for (address, path) in [(routes, "/ping"), (health, "/caller")] {
        let answer = get(address, path).await;
        assert_eq!((answer.status, &answer.json()["code"]), (404, &json!("not_found")), "{address}{path}");
    }
    shutdown.start();
    assert_eq!(until("draining").await, 503);
    running.await.unwrap().unwrap();
}
