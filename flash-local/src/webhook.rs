//! Calls webhooks over HTTP.

use std::future::Future;
use std::pin::Pin;

use flash_platform::HttpClient;
use flash_queue::Deliver;

/// The client that calls the webhooks of a platform.
#[derive(Clone, Debug)]
pub(crate) struct Post(HttpClient);

impl Post {
    /// `private`: addresses of this machine and of private networks may be called too.
    pub(crate) fn new(private: bool) -> Self {
        Self(if private { HttpClient::new() } else { HttpClient::public() })
    }
}

impl Deliver for Post {
    fn post(&self, url: String, body: Vec<u8>) -> Pin<Box<dyn Future<Output = Result<u16, String>> + Send>> {
        let http = self.0.clone();
        Box::pin(async move { http.notify(&url, body).await })
    }
}
