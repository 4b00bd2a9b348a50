use std::sync::Arc;
use std::time::Duration;

use http::StatusCode;

use super::backoff::Backoff;
use super::held::Held;
use super::link::Link;

/// How long a report of ill health may take; the worker waits for it before it ends (platform contract B.12).
const REPORT_TIMEOUT: Duration = Duration::from_secs(2);

/// Tells the platform which jobs this worker holds (platform contract B.9). Runs on the intake's thread.
#[derive(Debug)]
pub(crate) struct Heartbeat {
    pub(crate) link: Arc<Link>,
    pub(crate) held: Held,
    pub(crate) interval: Duration,
}

impl Heartbeat {
    /// Beats until it is dropped. A platform without a ping address gets none. A beat that was not heard is repeated
    /// soon, because the platform takes a silent worker for dead.
    pub(crate) async fn run(&self) {
        let mut again = Backoff::new(Duration::from_secs(1), self.interval);
        loop {
            let Some(address) = self.link.urls.ping(&self.held.ids()) else { return };
            let pause = match self.link.ask(address, self.interval * 2).await {
                Ok(status) if !status.is_server_error() && status != StatusCode::TOO_MANY_REQUESTS => {
                    again.reset();
                    self.interval
                }
                Ok(status) => {
                    tracing::warn!(%status, "the heartbeat was refused");
                    again.pause()
                }
                Err(error) => {
                    tracing::warn!(%error, "the heartbeat was not heard");
                    again.pause()
                }
            };
            self.link.clock.sleep(pause.min(self.interval)).await;
        }
    }

    /// Tells the platform that this worker cannot go on. Best effort: the worker ends either way.
    pub(crate) async fn report_unhealthy(&self, check: &str, reason: &str) {
        if let Some(address) = self.link.urls.unhealthy(check, reason)
            && let Err(error) = self.link.ask(address, REPORT_TIMEOUT).await
        {
            tracing::warn!(%error, "the platform was not told that this worker is unhealthy");
        }
    }
}
