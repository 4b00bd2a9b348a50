use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use flash_core::boot::Boot;
use flash_core::{App, Registry};
use tokio::task::JoinHandle;

use crate::local::LocalServer;
use crate::shutdown::Shutdown;

/// Every linked endpoint, served by this process on a free port of the loopback address, for tests.
#[derive(Debug)]
pub struct LocalApp {
    address: SocketAddr,
    shutdown: Shutdown,
    serving: Option<JoinHandle<io::Result<()>>>,
}

impl LocalApp {
    /// Serves everything that is linked.
    ///
    /// # Errors
    /// Duplicate names or routes, or no free port.
    pub async fn start() -> io::Result<Self> {
        let registry = Registry::linked().map_err(io::Error::other)?;
        Self::start_with(App::of(Arc::new(registry))).await
    }

    /// Serves this app.
    ///
    /// # Errors
    /// No free port.
    pub async fn start_with(app: App) -> io::Result<Self> {
        let mut boot = Boot::default();
        boot.local_port = Some(0);
        let server = LocalServer::bind(app, &boot).await?;
        let address = server.address()?;
        let shutdown = Shutdown::new();
        let serving = tokio::spawn(server.run(shutdown.clone()));
        Ok(Self { address, shutdown, serving: Some(serving) })
    }

    /// Where everything stands, without a slash at the end.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Where one endpoint stands, without a slash at the end.
    #[must_use]
    pub fn endpoint_url(&self, name: &str) -> String {
        format!("http://{}/{name}", self.address)
    }

    /// Finishes what runs and stops.
    ///
    /// # Errors
    /// The server ended by itself.
    pub async fn stop(mut self) -> io::Result<()> {
        self.shutdown.start();
        match self.serving.take() {
            Some(serving) => serving.await.map_err(io::Error::other)?,
            None => Ok(()),
        }
    }
}

impl Drop for LocalApp {
    fn drop(&mut self) {
        self.shutdown.start();
        // A test that fails does not wait for what it started.
        if let Some(serving) = self.serving.take() {
            serving.abort();
        }
    }
}
