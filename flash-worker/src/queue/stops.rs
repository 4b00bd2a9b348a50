use std::sync::Arc;
use std::time::Duration;

use flash_core::wire::StopAnswer;
use http::StatusCode;

use super::backoff::Backoff;
use super::held::Held;
use super::link::Link;

/// How long the queue may hold a poll (platform contract B.10).
const POLL_TIMEOUT: Duration = Duration::from_secs(90);
/// Most bytes of an answer.
const LONGEST: usize = 1_000_000;
/// The pause after an answer that says nothing, and after a rate limit (platform contract B.10).
const NOTHING: Duration = Duration::from_secs(1);
const RATE_LIMITED: Duration = Duration::from_secs(5);

/// Listens for jobs that the platform wants stopped: cancelled, expired or timed out. Runs on the intake's thread.
#[derive(Debug)]
pub(crate) struct Stops {
    pub(crate) link: Arc<Link>,
    pub(crate) held: Held,
}

impl Stops {
    /// Listens until it is dropped. A queue without such a channel has none.
    pub(crate) async fn run(&self) {
        let Some(address) = self.link.urls.stop() else { return };
        let mut trouble = Backoff::new(NOTHING, Duration::from_secs(30));
        loop {
            let pause = match self.link.get(address.clone(), POLL_TIMEOUT, LONGEST).await {
                Ok((StatusCode::OK, body)) => {
                    trouble.reset();
                    // An answer of another shape stops nothing.
                    let answer: StopAnswer = serde_json::from_slice(&body).unwrap_or_default();
                    answer.jobs_to_stop.iter().for_each(|job| self.held.stop(job));
                    if !answer.jobs_to_stop.is_empty() {
                        continue;
                    }
                    NOTHING
                }
                Ok((StatusCode::TOO_MANY_REQUESTS, _)) => RATE_LIMITED,
                Ok((status, _)) if status.is_success() => {
                    trouble.reset();
                    NOTHING
                }
                Ok((status, _)) => {
                    tracing::debug!(%status, "the stop channel is not answered");
                    trouble.pause()
                }
                Err(error) => {
                    tracing::debug!(%error, "the stop channel is not answered");
                    trouble.pause()
                }
            };
            self.link.clock.sleep(pause).await;
        }
    }
}
