//! Tells the URLs that callers left of the end of their jobs.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use flash_core::ids::JobId;
use flash_core::wire::Job;
use tokio::sync::Semaphore;

use super::Queue;
use crate::Payload;

/// Posts JSON to a URL. This crate has no HTTP client; whoever runs the queues brings one.
pub trait Deliver: Send + Sync + fmt::Debug {
    /// Posts `body` as `application/json` and answers the status, or why there was none.
    fn post(&self, url: String, body: Vec<u8>) -> Pin<Box<dyn Future<Output = Result<u16, String>> + Send>>;
}

/// What all queues of a process share.
#[derive(Debug)]
pub(super) struct Webhooks {
    deliver: OnceLock<Arc<dyn Deliver>>,
    /// As many as may be called at the same time.
    places: Semaphore,
}

impl Webhooks {
    pub(super) fn new(parallel: usize) -> Self {
        Self { deliver: OnceLock::new(), places: Semaphore::new(parallel.max(1)) }
    }

    /// Says who delivers. The first one stays.
    pub(super) fn deliver_by(&self, deliver: Arc<dyn Deliver>) {
        let _ = self.deliver.set(deliver);
    }
}

impl Queue {
    /// Goes on with webhooks that an earlier process left.
    pub(super) fn deliver_left(&self, left: Vec<crate::store::Webhook>) {
        for webhook in left {
            self.announce(webhook.id, webhook.url, None);
        }
    }

    /// Calls the webhook of a job that has ended. `last`: the job, when the store does not have it any more.
    pub(super) fn announce(&self, id: JobId, url: String, last: Option<Job<Payload>>) {
        let queue = self.clone();
        tokio::spawn(async move {
            queue.call_webhook(&id, &url, last).await;
            if let Err(error) = queue.0.jobs.settle_webhook(&id).await {
                tracing::error!(endpoint = %queue.id(), job = %id, %error, "failed to note that a webhook was called");
            }
        });
    }

    async fn call_webhook(&self, id: &JobId, url: &str, last: Option<Job<Payload>>) {
        let Some(deliver) = self.0.webhooks.deliver.get() else {
            tracing::debug!(endpoint = %self.id(), job = %id, "nobody delivers webhooks here");
            return;
        };
        let tries = self.limits().webhook_tries.max(1);
        for attempt in 1..=tries {
            let status = {
                // The semaphore is never closed.
                let _place = self.0.webhooks.places.acquire().await;
                // Read only now: the results of jobs whose webhooks wait must not fill the memory.
                let Some(body) = self.webhook_body(id, last.as_ref()).await else { return };
                let posting = deliver.post(url.to_owned(), body);
                self.clock().timeout(self.limits().webhook_timeout, posting).await
            };
            let problem = match status {
                Ok(Ok(200)) => return,
                Ok(Ok(status)) => format!("it answered {status} instead of 200"),
                Ok(Err(error)) => error,
                Err(_) => format!("no answer within {} s", self.limits().webhook_timeout.as_secs()),
            };
            tracing::warn!(endpoint = %self.id(), job = %id, attempt, tries, problem, "webhook failed");
            if attempt < tries {
                self.clock().sleep(self.pause()).await;
            }
        }
    }

    fn pause(&self) -> Duration {
        self.limits().webhook_pause
    }

    /// What `/status` answers. `None`: the job is gone.
    async fn webhook_body(&self, id: &JobId, last: Option<&Job<Payload>>) -> Option<Vec<u8>> {
        let stored;
        let job = match last {
            Some(job) => job,
            None => {
                stored = self.status(id).await.ok()?;
                // A caller had it retried meanwhile: its next end is announced then.
                if !stored.status.is_terminal() {
                    return None;
                }
                &stored
            }
        };
        serde_json::to_vec(job).ok()
    }
}
