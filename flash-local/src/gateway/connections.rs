//! Connections to one worker, kept open between requests.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Mutex, PoisonError};

use axum::body::Body;
use http::{Request, Response};
use hyper::body::Incoming;
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

/// Idle connections that are kept per worker.
const IDLE_MAX: usize = 64;

#[derive(Debug)]
pub(crate) struct Connections {
    address: SocketAddr,
    idle: Mutex<Vec<SendRequest<Body>>>,
}

/// A request that got no answer.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The worker has seen nothing of it. Here it is again.
    NotSent(Box<Request<Body>>),
    /// The worker may have worked on it.
    Broken(hyper::Error),
}

impl Connections {
    pub(crate) fn to(port: u16) -> Self {
        Self { address: (Ipv4Addr::LOCALHOST, port).into(), idle: Mutex::default() }
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Sends a request and waits for the head of the answer. When the future is dropped, the connection is closed, which
    /// tells the worker.
    pub(crate) async fn send(&self, mut request: Request<Body>) -> Result<Response<Incoming>, Failure> {
        while let Some(mut connection) = self.take() {
            match connection.try_send_request(request).await {
                Ok(response) => {
                    self.put(connection);
                    return Ok(response);
                }
                Err(mut error) => match error.take_message() {
                    // The worker closed the idle connection before it saw the request.
                    Some(unsent) => request = unsent,
                    None => return Err(Failure::Broken(error.into_error())),
                },
            }
        }
        let Ok(mut connection) = self.connect().await else {
            return Err(Failure::NotSent(Box::new(request)));
        };
        match connection.try_send_request(request).await {
            Ok(response) => {
                self.put(connection);
                Ok(response)
            }
            Err(mut error) => Err(match error.take_message() {
                Some(unsent) => Failure::NotSent(Box::new(unsent)),
                None => Failure::Broken(error.into_error()),
            }),
        }
    }

    async fn connect(&self) -> Result<SendRequest<Body>, Box<dyn std::error::Error + Send + Sync>> {
        let stream = TcpStream::connect(self.address).await?;
        stream.set_nodelay(true)?;
        let (connection, driver) = handshake(TokioIo::new(stream)).await?;
        tokio::spawn(async move {
            // Whoever waits for an answer on this connection gets the error too.
            if let Err(error) = driver.with_upgrades().await {
                tracing::debug!(%error, "connection to a worker broke");
            }
        });
        Ok(connection)
    }

    /// An idle connection that can take a request: not closed, and its last answer is read to the end.
    fn take(&self) -> Option<SendRequest<Body>> {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        idle.retain(|connection| !connection.is_closed());
        let ready = idle.iter().rposition(SendRequest::is_ready)?;
        Some(idle.swap_remove(ready))
    }

    fn put(&self, connection: SendRequest<Body>) {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        if idle.len() < IDLE_MAX {
            idle.push(connection);
        }
    }
}
