use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

use axum::Router;
use axum::serve::ListenerExt;
use flash_core::boot::Boot;
use flash_core::{App, Endpoint};
use tokio::net::TcpListener;

use super::health::{Health, HealthState};
use super::router::router;
use crate::ready;
use crate::shutdown::Shutdown;

/// A bound address.
#[derive(Debug)]
pub struct Listener(TcpListener);

impl Listener {
    /// Binds an address; port 0 takes a free one.
    ///
    /// # Errors
    /// The address is taken or not this machine's.
    pub async fn bind(address: SocketAddr) -> io::Result<Self> {
        TcpListener::bind(address).await.map(Self)
    }

    /// The address that was bound.
    ///
    /// # Errors
    /// The socket is gone.
    pub fn address(&self) -> io::Result<SocketAddr> {
        self.0.local_addr()
    }
}

/// A worker of one HTTP endpoint.
#[derive(Debug)]
pub struct HttpWorker {
    app: App,
    endpoint: &'static Endpoint,
    listener: Listener,
    health: Option<Listener>,
    boot: Boot,
}

/// Why an HTTP worker ended.
#[derive(Debug, thiserror::Error)]
pub(crate) enum HttpError {
    #[error(
        "{address} cannot be bound: {source}\nhelp: choose another port with PORT, or end the program that has it"
    )]
    Bind { address: SocketAddr, source: io::Error },
    #[error("{0}")]
    State(String),
    #[error("{0}")]
    NotDrained(String),
    #[error("the server ended: {0}")]
    Server(#[from] io::Error),
}

impl HttpWorker {
    /// Binds the addresses that `boot` names.
    pub(crate) async fn bind(app: App, endpoint: &'static Endpoint, boot: Boot) -> Result<Self, HttpError> {
        let host = boot.host.unwrap_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED));
        let port = boot.port.unwrap_or(80);
        let bind = async |port| {
            let address = SocketAddr::new(host, port);
            Listener::bind(address).await.map_err(|source| HttpError::Bind { address, source })
        };
        let listener = bind(port).await?;
        let health = match boot.port_health.filter(|other| *other != port) {
            Some(port) => Some(bind(port).await?),
            None => None,
        };
        Ok(Self { app, endpoint, listener, health, boot })
    }

    /// Serves until `shutdown` begins, then finishes the requests that are under way, within the grace time.
    pub(crate) async fn run(self, shutdown: Shutdown) -> Result<(), HttpError> {
        let health = Health::new(self.boot.endpoint_id.as_deref().unwrap_or_default());
        let probe = health.router(&self.boot.health_path);
        let routes = router(&self.app, self.endpoint);
        let address = self.listener.address()?;
        let serving = match self.health {
            None => tokio::spawn(serve(self.listener, probe.merge(routes), shutdown.clone())),
            Some(listener) => {
                // Goes on answering while the requests drain, so that the gateway sees why.
                tokio::spawn(serve(listener, probe, Shutdown::new()));
                tokio::spawn(serve(self.listener, routes, shutdown.clone()))
            }
        };
        ready::prepare(&self.app, self.endpoint.name()).await.map_err(HttpError::State)?;
        health.set(HealthState::Ready);
        tracing::info!(endpoint = self.endpoint.name(), %address, "worker serves");
        shutdown.started().await;
        health.set(HealthState::Draining);
        let grace = self.boot.grace;
        match self.app.clock().timeout(grace, serving).await {
            Ok(Ok(served)) => Ok(served?),
            Ok(Err(error)) => Err(HttpError::NotDrained(format!("the server ended: {error}"))),
            Err(_) => Err(HttpError::NotDrained(format!(
                "requests were not finished within the grace time of {grace:?}"
            ))),
        }
    }
}

/// Serves `router` until the shutdown begins and its requests are finished.
pub(crate) async fn serve(listener: Listener, router: Router, shutdown: Shutdown) -> io::Result<()> {
    // An answer goes out at once, not when the next one comes.
    let listener = listener.0.tap_io(|stream| {
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, "TCP_NODELAY could not be set");
        }
    });
    axum::serve(listener, router).with_graceful_shutdown(async move { shutdown.started().await }).await
}

/// The address of the local role: the one that is asked for, else the first free of 20 from 8888.
pub(crate) async fn bind_local(boot: &Boot) -> io::Result<Listener> {
    let host = boot.host.unwrap_or(IpAddr::V4(Ipv4Addr::LOCALHOST));
    if let Some(port) = boot.local_port {
        return Listener::bind(SocketAddr::new(host, port)).await;
    }
    let mut last = None;
    for port in FIRST_PORT..FIRST_PORT + PORTS {
        match Listener::bind(SocketAddr::new(host, port)).await {
            Ok(listener) => return Ok(listener),
            Err(error) => last = Some(error),
        }
    }
    Err(last.unwrap_or_else(|| io::Error::other("no port is free")))
}

/// Where the local role begins to look for a port, and how many it tries.
const FIRST_PORT: u16 = 8888;
const PORTS: u16 = 20;
/// How long the local role waits for running work when it is stopped.
pub(crate) const LOCAL_GRACE: Duration = Duration::from_secs(10);
