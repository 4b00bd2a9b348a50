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
        let request = self.0.request(reqwest::Method::POST, &url);
        Box::pin(async move {
            let request = request.map_err(|error| error.to_string())?;
            let request = request.header("content-type", "application/json").body(body);
            // Redirects are not followed: they are answers that are not 200. The body of the answer does not matter.
            let response = request.send().await.map_err(|error| error.without_url().to_string())?;
            Ok(response.status().as_u16())
        })
    }
}
