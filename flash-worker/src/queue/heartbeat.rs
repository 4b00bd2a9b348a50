use std::time::Duration;

use flash_core::Secret;
use flash_core::clock::Clock;
use flash_platform::HttpClient;
use reqwest::Method;

use super::slots::Slots;
use super::urls::Urls;

/// Tells the platform which jobs this worker holds (platform contract B.9). Runs on the intake's thread.
#[derive(Debug)]
pub(crate) struct Heartbeat {
    pub(crate) http: HttpClient,
    pub(crate) urls: Urls,
    pub(crate) key: Option<Secret>,
    pub(crate) clock: Clock,
    pub(crate) slots: Slots,
    pub(crate) interval: Duration,
}

impl Heartbeat {
    /// Beats until it is dropped. A platform without a ping address gets none.
    pub(crate) async fn run(&self) {
        loop {
            let jobs: Vec<String> = self.slots.running().iter().map(ToString::to_string).collect();
            let Some(url) = self.urls.ping(&jobs) else { return };
            if let Err(error) = self.beat(&url).await {
                tracing::warn!(error, "the heartbeat was not heard");
            }
            self.clock.sleep(self.interval).await;
        }
    }

    async fn beat(&self, url: &str) -> Result<(), String> {
        let mut request = self
            .http
            .request(Method::GET, url)
            .map_err(|error| error.to_string())?
            .timeout(self.interval * 2);
        if let Some(key) = &self.key {
            request = request.header("authorization", key.expose());
        }
        let response = request.send().await.map_err(|error| error.without_url().to_string())?;
        let _ = response.bytes().await;
        Ok(())
    }
}
