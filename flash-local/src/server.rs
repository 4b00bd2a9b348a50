//! Serves the platform's routes, and stops for good when it is told to.

use axum::Router;
use hyper::server::conn::http1;
use hyper::service::{Service as _, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;

use crate::faults::Dropped;

/// Why a connection is closed without an answer.
#[derive(Debug, thiserror::Error)]
#[error("scripted fault")]
struct ScriptedFault;

/// Serves until `stop`, which closes open connections too: a poll that is held would otherwise keep them for half a minute.
pub(crate) async fn serve(listener: TcpListener, app: Router, stop: CancellationToken) {
    while let Some(accepted) = stop.run_until_cancelled(listener.accept()).await {
        match accepted {
            Ok((stream, _)) => drop(tokio::spawn(connection(stream, app.clone(), stop.clone()))),
            Err(error) => {
                // Out of file descriptors, mostly. Connections that end make room.
                tracing::error!(%error, "failed to accept a connection");
                tokio::time::sleep(std::time::Duration::from_millis(100)).await;
            }
        }
    }
}

async fn connection(stream: TcpStream, app: Router, stop: CancellationToken) {
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "failed to switch off delays");
    }
    let service = service_fn(move |request| {
        let answering = TowerToHyperService::new(app.clone()).call(request);
        async move {
            let Ok(response) = answering.await;
            // The connection is closed instead of an answer.
            if response.extensions().get::<Dropped>().is_some() { Err(ScriptedFault) } else { Ok(response) }
        }
    });
    let serving = http1::Builder::new()
        .timer(TokioTimer::new())
        .serve_connection(TokioIo::new(stream), service)
        .with_upgrades();
    if let Some(Err(error)) = stop.run_until_cancelled(serving).await {
        tracing::debug!(%error, "connection broke");
    }
}
