use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use flash_core::boot::Boot;
use tokio::net::TcpListener;

/// A bound address.
#[derive(Debug)]
pub struct Listener(pub(super) TcpListener);

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

/// The address of the local role: the one that is asked for, else the first free of 20 from 8888.
pub(crate) async fn bind_local(boot: &Boot) -> io::Result<Listener> {
    let host = boot.host.unwrap_or(IpAddr::V4(Ipv4Addr::LOCALHOST));
    if let Some(port) = boot.local_port {
        let address = SocketAddr::new(host, port);
        let named = |error: io::Error| io::Error::new(error.kind(), format!("{address}: {error}"));
        return Listener::bind(address).await.map_err(named);
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
