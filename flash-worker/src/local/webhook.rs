use std::future::Future;
use std::net::SocketAddr;
use std::pin::Pin;

use flash_platform::HttpClient;
use flash_queue::Deliver;

/// Calls the webhooks of jobs that were sent to a local server.
#[derive(Debug)]
pub(super) struct Webhooks(HttpClient);

impl Webhooks {
    /// Of a server at this address. Who reaches it from another machine must not reach further through it.
    pub(super) fn of(address: SocketAddr) -> Self {
        Self(if address.ip().is_loopback() { HttpClient::new() } else { HttpClient::public() })
    }
}

impl Deliver for Webhooks {
    fn post(&self, url: String, body: Vec<u8>) -> Pin<Box<dyn Future<Output = Result<u16, String>> + Send>> {
        let http = self.0.clone();
        Box::pin(async move { http.notify(&url, body).await })
    }
}
