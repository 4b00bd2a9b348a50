use std::sync::Arc;
use std::time::Duration;

use super::held::Held;
use super::link::{Link, NoAnswer};

/// Tells the platform which jobs this worker holds (platform contract B.9). Runs on the intake's thread.
#[derive(Debug)]
pub(crate) struct Heartbeat {
    pub(crate) link: Arc<Link>,
    pub(crate) held: Held,
    pub(crate) interval: Duration,
}

impl Heartbeat {
    /// Beats until it is dropped. A platform without a ping address gets none.
    pub(crate) async fn run(&self) {
        loop {
            let jobs: Vec<String> = self.held.ids().iter().map(ToString::to_string).collect();
            let Some(url) = self.link.urls.ping(&jobs) else { return };
            if let Err(error) = self.beat(&url).await {
                tracing::warn!(%error, "the heartbeat was not heard");
            }
            self.link.clock.sleep(self.interval).await;
        }
    }

    /// Tells the platform that this worker cannot go on. Best effort: the worker ends either way.
    pub(crate) async fn report_unhealthy(&self, reason: &str) {
        if let Some(url) = self.link.urls.unhealthy("fatal_error", reason)
            && let Err(error) = self.beat(&url).await
        {
            tracing::warn!(%error, "the platform was not told that this worker is unhealthy");
        }
    }

    async fn beat(&self, url: &str) -> Result<(), NoAnswer> {
        self.link.get(url, self.interval * 2).await.map(drop)
    }
}
